#include "sweeper/world/backups.h"

#include <algorithm>

#include "freeze/calls.h"
#include "sweeper/world/guests.h"

namespace snapfreeze::sweeper {
namespace {

// A complete backup without a verdict gets none after a day; no sweeper was running in that time. Otherwise every
// backup from before snapfreeze was installed would be kept for ever.
constexpr std::chrono::hours kTooLate{24};
// Harvester takes the snapshots of a backup, with its retries, within that time.
constexpr std::chrono::minutes kYoung{5};
// Of one guest, and of so many guests: whoever may edit a backup could name another VM each time.
constexpr std::size_t kMostDeleted = 32;
constexpr std::size_t kMostGuests = 1000;

bool has_failed(const BackupFacts& before, const BackupFacts& after) {
  return after.failed && (!before.failed || before.error_time != after.error_time);
}

// Whether Harvester has worked on it since `before`: it began, or an attempt of it failed.
bool has_acted(const BackupFacts& before, const BackupFacts& after) {
  return before.error_time != after.error_time || before.failed != after.failed ||
         before.harvester_froze != after.harvester_froze || before.snapshot_names != after.snapshot_names;
}

// Of one that is listed, nobody knows what Harvester did just before.
bool may_have_just_acted(const BackupFacts& listed, Wall bound) {
  const bool cut =
      listed.complete || (!listed.snapshot_names.empty() && listed.made.size() == listed.snapshot_names.size());
  return !cut || (listed.created && bound - *listed.created < kYoung);
}

bool has_cut_without_us(const BackupRecord& record, const BackupFacts& after) {
  const std::vector<std::string>& before = record.facts.made;
  return std::any_of(after.made.begin(), after.made.end(), [&](const std::string& name) {
    return std::find(before.begin(), before.end(), name) == before.end() && !record.admitted.contains(name);
  });
}

}  // namespace

void BackupRecord::act(Mono now) {
  if (!acts.empty() && now >= acts.back() + freeze::kCallLimit) failed = now;
  // The latest one always counts, as a thaw of ours may have come since the one before it.
  const bool replaces =
      acts.size() > 1 && now < acts.back() + kActsApart && acts.back() < *(acts.end() - 2) + kActsApart;
  if (replaces) acts.pop_back();
  if (acts.size() >= kMostActs) acts.erase(acts.begin());
  acts.push_back(now);
}

void BackupRecord::note(const BackupFacts& said, bool missed) {
  froze = froze || said.harvester_froze || (missed && said.freeze_decided);
  endless = endless || said.deadline == Millis(0);
  longest_deadline = std::max(longest_deadline, said.deadline);
}

std::string Backups::ByGuest::key(const BackupRecord& record) {
  return guest_key(record.facts.namespace_, record.facts.vm);
}

std::optional<BackupFacts> Backups::apply(const BackupFacts& facts, bool added, Observed now) {
  const BackupRecord* known = table_.find(facts.uid);
  if (known == nullptr) {
    BackupRecord record{facts, {}, std::nullopt, std::nullopt};
    record.note(facts, !added);
    if (added) record.first_version = facts.version;
    if (added || may_have_just_acted(facts, now.bound)) record.act(now.at);
    if (added && facts.failed) record.failed = now.at;
    table_.put(facts.uid, std::move(record));
    return std::nullopt;
  }
  if (ByGuest::key(*known) != ByGuest::key({facts, {}, std::nullopt, std::nullopt})) remember_deleted(*known, now.at);
  BackupFacts before = known->facts;
  const bool missed = table_.relisting() && before.version != facts.version;
  table_.name(facts.uid);
  table_.change(facts.uid, [&](BackupRecord& record) {
    if (has_acted(before, facts) || (missed && may_have_just_acted(facts, now.bound))) record.act(now.at);
    if (has_failed(before, facts)) record.failed = now.at;
    if (has_cut_without_us(record, facts)) record.cut_without_us = now.at;
    if (facts.complete) record.admitted.clear();
    if (facts.complete && !before.complete) record.completed = now.at;
    record.note(facts, missed);
    record.facts = facts;
    // A verdict that we wrote may be newer than what the watch says.
    if (!facts.verdict) record.facts.verdict = before.verdict;
  });
  return before;
}

std::optional<BackupFacts> Backups::remove(const std::string& uid, Mono now) {
  const BackupRecord* known = table_.find(uid);
  if (known == nullptr) return std::nullopt;
  BackupFacts facts = known->facts;
  remember_deleted(*known, now);
  table_.erase(uid);
  return facts;
}

void Backups::remember_deleted(const BackupRecord& record, Mono now) {
  const std::string guest = ByGuest::key(record);
  if (deleted_.size() >= kMostGuests && !deleted_.contains(guest)) forget_oldest_deleted();
  auto& of_guest = deleted_[guest];
  if (of_guest.size() >= kMostDeleted) of_guest.erase(of_guest.begin());
  of_guest.push_back({record, now});
}

void Backups::forget_oldest_deleted() {
  const auto oldest = std::ranges::min_element(
      deleted_, {}, [](const auto& guest) { return guest.second.empty() ? Mono::min() : guest.second.back().at; });
  deleted_.erase(oldest);
}

void Backups::acted(const std::string& uid, Mono now) {
  table_.change(uid, [&](BackupRecord& record) { record.act(now); });
}

void Backups::admitted(const std::string& uid, const std::string& snapshot) {
  const BackupRecord* known = table_.find(uid);
  if (known == nullptr || known->facts.complete || known->admitted.size() >= freeze::kMaxMembers) return;
  table_.change(uid, [&](BackupRecord& record) { record.admitted.insert(snapshot); });
}

void Backups::judged(const std::string& uid, const freeze::Verdict& verdict) {
  table_.change(uid, [&](BackupRecord& record) { record.facts.verdict = verdict; });
}

const BackupFacts* Backups::find(const std::string& uid) const {
  const BackupRecord* record = table_.find(uid);
  return record == nullptr ? nullptr : &record->facts;
}

std::vector<DeletedBackup> Backups::deleted(const std::string& guest) const {
  const auto found = deleted_.find(guest);
  return found == deleted_.end() ? std::vector<DeletedBackup>{} : found->second;
}

void Backups::forget_old(Wall bound, Mono now) {
  std::vector<std::string> old;
  table_.for_each([&](const std::string& uid, const BackupRecord& record) {
    const BackupFacts& backup = record.facts;
    const auto age = backup.created ? bound - *backup.created : Wall::duration(kTooLate);
    if (backup.complete && age > BackupRecord::kKept && (backup.verdict || age >= kTooLate)) old.push_back(uid);
  });
  for (const std::string& uid : old) table_.erase(uid);
  for (auto& [guest, of_guest] : deleted_) {
    std::erase_if(of_guest, [&](const DeletedBackup& deleted) { return now - deleted.at > BackupRecord::kKept; });
  }
  std::erase_if(deleted_, [](const auto& item) { return item.second.empty(); });
}

}  // namespace snapfreeze::sweeper
