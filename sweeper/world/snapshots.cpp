#include "sweeper/world/snapshots.h"

#include "sweeper/world/guests.h"

namespace snapfreeze::sweeper {

bool SnapshotRecord::of_harvester() const {
  return facts.hold && facts.hold->kind == freeze::Hold::Kind::kHarvester;
}

std::string Snapshots::ByEpoch::key(const SnapshotRecord& record) {
  return guest_key(record.facts.namespace_, record.facts.epoch);
}

std::string Snapshots::ByBackup::key(const SnapshotRecord& record) {
  return record.of_harvester() ? record.facts.hold->uid : "";
}

const std::set<std::string>& Snapshots::of_epoch(const std::string& ns, const std::string& epoch) const {
  return table_.at<ByEpoch>(guest_key(ns, epoch));
}

std::optional<SnapshotFacts> Snapshots::apply(const SnapshotFacts& facts, Mono now) {
  const SnapshotRecord* known = table_.find(facts.uid);
  if (known == nullptr) {
    table_.put(facts.uid, {facts, now, now, table_.live(), false, std::nullopt});
    return std::nullopt;
  }
  SnapshotFacts before = known->facts;
  table_.name(facts.uid);
  table_.change(facts.uid, [&](SnapshotRecord& record) {
    // An event from before our verdict does not take it back.
    const bool older = record.verdict_given() && facts.consistency.empty() && record.facts.epoch == facts.epoch;
    const std::string consistency = record.facts.consistency;
    const std::string reason = record.facts.reason;
    if (record.facts.epoch != facts.epoch) record.stray_since = now;
    record.facts = facts;
    if (!older) return;
    record.facts.consistency = consistency;
    record.facts.reason = reason;
  });
  return before;
}

std::optional<SnapshotRecord> Snapshots::remove(const std::string& uid) {
  const SnapshotRecord* known = table_.find(uid);
  if (known == nullptr) return std::nullopt;
  SnapshotRecord record = *known;
  table_.erase(uid);
  return record;
}

}  // namespace snapfreeze::sweeper
