// Sessions, snapshots and situations for tests, as they are in an ordinary backup: VM "vms/vm1", backup "b1", epoch
// "epoch-1", T = 30 s, begun 2 s after the tests' time began.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "freeze/names.h"
#include "sweeper/planner.h"
#include "sweeper/strays.h"

namespace snapfreeze::test {

inline constexpr Mono kStart{std::chrono::hours(1)};
inline constexpr Wall kServerStart{std::chrono::hours(24 * 365 * 56)};

// `after` the session's creation, with a bound that is exactly the server's clock.
inline sweeper::Observed at(Millis after) {
  return {kStart + after, kServerStart + after};
}

inline freeze::Hold harvester_hold(const std::string& name = "b1") {
  return {freeze::Hold::Kind::kHarvester, name, "uid-" + name, 0};
}

inline freeze::Hold label_hold(int members) {
  return {freeze::Hold::Kind::kLabel, "nightly", "", members};
}

inline freeze::Session session(freeze::Phase phase = freeze::Phase::kFrozen) {
  freeze::Session session;
  session.lease = "vms.vm1";
  session.uid = "epoch-1";
  session.resource_version = "100";
  session.created = kServerStart;
  session.namespace_ = "vms";
  session.vm = "vm1";
  session.vmi_uid = "vmi-1";
  session.timer = std::chrono::seconds(30);
  session.holder = "webhook-0/1";
  session.phase = phase;
  session.holds = {harvester_hold()};
  session.frozen_by = kServerStart + Millis(100);
  return session;
}

// The verdict that an object with these annotations has.
inline std::optional<freeze::Verdict> said(const std::string& consistency, const std::string& reason = "") {
  kube::Metadata metadata;
  metadata.annotations = {{freeze::kConsistency, consistency}, {freeze::kReason, reason}};
  return freeze::read_verdict(metadata);
}

inline sweeper::SnapshotFacts snapshot(const std::string& name, const std::string& epoch = "epoch-1") {
  sweeper::SnapshotFacts facts;
  facts.uid = "uid-" + name;
  facts.namespace_ = "vms";
  facts.name = name;
  facts.epoch = epoch;
  facts.vm = "vm1";
  facts.hold = harvester_hold();
  facts.created = kServerStart;
  facts.untouched = true;
  return facts;
}

inline sweeper::BackupFacts backup(const std::vector<std::string>& names, const std::string& name = "b1") {
  sweeper::BackupFacts facts;
  facts.uid = "uid-" + name;
  facts.namespace_ = "vms";
  facts.name = name;
  facts.vm = "vm1";
  facts.created = kServerStart;
  facts.snapshot_names = names;
  return facts;
}

inline sweeper::VmiFacts vmi(const std::string& uid = "vmi-1") {
  sweeper::VmiFacts facts;
  facts.uid = uid;
  facts.namespace_ = "vms";
  facts.name = "vm1";
  facts.running = true;
  return facts;
}

}  // namespace snapfreeze::test
