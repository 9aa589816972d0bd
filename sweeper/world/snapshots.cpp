#include "sweeper/world/snapshots.h"

#include "sweeper/situation.h"
#include "sweeper/world/guests.h"

namespace snapfreeze::sweeper {
namespace {

std::string label_key(const SnapshotFacts& facts) {
  return guest_key(facts.namespace_, facts.vm) + "/" + (facts.hold ? facts.hold->name : "");
}

}  // namespace

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

std::optional<SnapshotFacts> Snapshots::apply(const SnapshotFacts& facts, bool created, Mono now) {
  const SnapshotRecord* known = table_.find(facts.uid);
  if (known == nullptr) {
    table_.put(facts.uid, {facts, now, now, facts.version, created, false, std::nullopt});
    return std::nullopt;
  }
  SnapshotFacts before = known->facts;
  table_.name(facts.uid);
  table_.change(facts.uid, [&](SnapshotRecord& record) {
    // An event from before our verdict does not take it back.
    const bool older = record.verdict_given() && !facts.verdict && record.facts.epoch == facts.epoch;
    const auto verdict = record.facts.verdict;
    if (record.facts.epoch != facts.epoch) record.stray_since = now;
    record.facts = facts;
    if (older) record.facts.verdict = verdict;
  });
  return before;
}

void Snapshots::tell(const SnapshotFacts& facts, Mono now) {
  std::erase_if(told_, [&](const auto& item) { return now >= item.second + kSameLabel; });
  told_[label_key(facts)] = now;
}

std::optional<Mono> Snapshots::told(const SnapshotFacts& facts) const {
  const auto found = told_.find(label_key(facts));
  return found == told_.end() ? std::nullopt : std::optional<Mono>(found->second);
}

std::optional<SnapshotRecord> Snapshots::remove(const std::string& uid) {
  const SnapshotRecord* known = table_.find(uid);
  if (known == nullptr) return std::nullopt;
  SnapshotRecord record = *known;
  table_.erase(uid);
  return record;
}

}  // namespace snapfreeze::sweeper
