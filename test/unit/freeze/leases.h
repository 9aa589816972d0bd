// The Lease of a session, as tests write and damage it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "freeze/lease.h"
#include "test/support/catch.h"

namespace test {

using snapfreeze::Json;
using snapfreeze::freeze::Hold;
using snapfreeze::freeze::Phase;
using snapfreeze::freeze::Session;

inline const std::string kPrefix = "snapfreeze.harvesterhci.io/";

// A copy in which one member of the object at `path` is replaced, or removed.
inline Json changed(const Json& object, std::span<const std::string> path, const std::optional<Json>& value) {
  Json copy = Json::object();
  for (const auto& [key, member] : object.members()) {
    if (key != path.front()) {
      copy.set(key, member);
    } else if (path.size() > 1) {
      copy.set(key, changed(member, path.subspan(1), value));
    }
  }
  if (path.size() == 1 && value) copy.set(path.front(), *value);
  return copy;
}

inline Json with(const Json& object, std::vector<std::string> path, std::optional<Json> value) {
  return changed(object, path, value);
}

inline Json with_annotation(const Json& lease, const std::string& name, std::optional<Json> value) {
  return with(lease, {"metadata", "annotations", kPrefix + name}, std::move(value));
}

// What the API server adds.
inline Json stored(const Json& lease) {
  Json out = with(lease, {"metadata", "uid"}, Json("lease-uid"));
  out = with(out, {"metadata", "resourceVersion"}, Json("7"));
  return with(out, {"metadata", "creationTimestamp"}, Json("2026-11-23T13:17:00Z"));
}

inline Session frozen() {
  Session session;
  session.namespace_ = "team-a";
  session.vm = "db";
  session.vmi_uid = "vmi-uid";
  session.claims = {"db-disk-0", "db-disk-1"};
  session.timer = std::chrono::seconds(30);
  session.holder = "webhook-1/request-1";
  session.phase = Phase::kFrozen;
  session.holds = {{Hold::Kind::kHarvester, "nightly", "backup-uid", 0}};
  return session;
}

inline Json lease_of(const Session& session) {
  return stored(to_lease(session, "snapfreeze"));
}

inline Session read(const Json& lease) {
  auto session = snapfreeze::freeze::from_lease(lease);
  REQUIRE(session.ok());
  return *session;
}

inline bool same_session(const Session& a, const Session& b) {
  return a.namespace_ == b.namespace_ && a.vm == b.vm && a.vmi_uid == b.vmi_uid && a.windows == b.windows &&
         a.timer == b.timer && a.holder == b.holder && a.phase == b.phase && a.holds == b.holds &&
         a.intent == b.intent && a.unsettled == b.unsettled && a.frozen_by == b.frozen_by && a.doubts == b.doubts &&
         a.captured == b.captured;
}

}  // namespace test
