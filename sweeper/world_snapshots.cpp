// World: snapshots, their captures and backups, and how it all looks together.
#include <algorithm>

#include "freeze/names.h"
#include "sweeper/world.h"

namespace snapfreeze::sweeper {
namespace {

// A rescue looks at backups of the last hour.
constexpr std::chrono::hours kYoung{1};
// A backup that is complete and got no verdict within a day, because no sweeper was there, gets none any more. What was
// there before snapfreeze was installed would be kept for ever otherwise.
constexpr std::chrono::hours kTooLate{24};

std::string label_key(const SnapshotFacts& facts) {
  return facts.namespace_ + "/" + (facts.hold ? facts.hold->name : "") + "/" + facts.vm;
}

bool verdict_given(const SnapshotFacts& facts) {
  return !facts.consistency.empty();
}

freeze::Verdict verdict_of(const SnapshotFacts& facts) {
  if (facts.consistency == to_string(freeze::Consistency::kFilesystem)) return {freeze::Consistency::kFilesystem, ""};
  if (facts.consistency == to_string(freeze::Consistency::kOffline)) return {freeze::Consistency::kOffline, ""};
  // Metrics keep each value for ever, and a tenant may write what it likes into an annotation.
  const freeze::Reason* known = freeze::find_reason(facts.reason);
  return {freeze::Consistency::kCrash, known == nullptr ? freeze::reason::kUnverified : known->name};
}

bool of_harvester(const SnapshotFacts& facts) {
  return facts.hold && facts.hold->kind == freeze::Hold::Kind::kHarvester;
}

}  // namespace

void World::apply(const SnapshotFacts& facts, Observed now) {
  if (facts.deleting) return remove_snapshot(facts.uid);
  SnapshotRecord* known = snapshots_.find(facts.uid);
  if (known != nullptr && known->facts.epoch != facts.epoch) {
    remove_snapshot(facts.uid);
    known = nullptr;
  }
  SnapshotRecord& record = snapshots_.name(facts.uid);
  const bool fresh = known == nullptr;
  if (fresh || record.facts.consistency.empty() || !facts.consistency.empty()) {
    record.facts = facts;
  } else {  // an event from before our verdict
    record.facts.captured = facts.captured;
  }
  if (fresh) {
    record.first_seen = record.stray_since = now.at;
    record.live = snapshots_.live();
    epochs_.add(facts.epoch, facts.uid);
    if (of_harvester(facts)) siblings_.add(facts.hold->uid, facts.uid);
    if (HoldRecord* hold = hold_of(facts)) hold->quiet_since = std::max(hold->quiet_since, now.at);
  }
  if (vmis_.find(guest_key(facts.namespace_, facts.vm)) != nullptr) record.vmi_seen = true;
  if (facts.captured) {
    captures_.note(Captures::Source::kSnapshot, facts.uid, now);
  } else {
    captures_.forget(Captures::Source::kSnapshot, facts.uid);
  }
  snapshot_changed(facts);
}

void World::apply(Captures::Source source, const CaptureFacts& facts, Observed now) {
  if (!facts.captured) return captures_.forget(source, facts.snapshot_uid);
  if (!captures_.note(source, facts.snapshot_uid, now)) return;
  if (const SnapshotRecord* record = snapshots_.find(facts.snapshot_uid)) snapshot_changed(record->facts);
}

void World::apply(const BackupFacts& facts) {
  if (facts.deleting) return remove_backup(facts);
  BackupFacts& record = backups_.name(facts.uid);
  // A verdict that we wrote may be newer than what the watch says.
  const std::string consistency = facts.consistency.empty() ? record.consistency : facts.consistency;
  record = facts;
  record.consistency = consistency;
  vm_backups_.add(guest_key(facts.namespace_, facts.vm), facts.uid);
  backup_changed(facts);
}

void World::remove_snapshot(const std::string& uid) {
  captures_.forget(Captures::Source::kSnapshot, uid);
  const SnapshotRecord* record = snapshots_.find(uid);
  if (record == nullptr) return;
  const SnapshotFacts facts = record->facts;
  if (HoldRecord* hold = hold_of(facts)) {
    hold->deleted = true;
    hold->deleted_names.insert(facts.name);
  }
  forget(uid);
  if (sessions_.find(facts.epoch) != nullptr) news_.sessions.insert(facts.epoch);
}

void World::forget(const std::string& snapshot_uid) {
  const SnapshotRecord* record = snapshots_.find(snapshot_uid);
  if (record == nullptr) return;
  epochs_.remove(record->facts.epoch, snapshot_uid);
  if (of_harvester(record->facts)) siblings_.remove(record->facts.hold->uid, snapshot_uid);
  snapshots_.erase(snapshot_uid);
  news_.strays.erase(snapshot_uid);
}

void World::remove_backup(const BackupFacts& facts) {
  const std::string guest = guest_key(facts.namespace_, facts.vm);
  vm_backups_.remove(guest, facts.uid);
  for (const std::string& uid : guests_.at(guest)) {
    for (HoldRecord& hold : sessions_.find(uid)->holds) {
      if (hold.hold.uid == facts.uid) hold.deleted = true;
    }
  }
  const BackupFacts gone = facts;  // `facts` may be the record
  if (gone.harvester_froze) deleted_backups_[guest] = gone;
  backups_.erase(gone.uid);
  backup_changed(gone);
}

void World::forget_old_backups(Wall bound) {
  std::vector<BackupFacts> old;
  backups_.for_each([&](const std::string&, const BackupFacts& backup) {
    const auto age = backup.created ? bound - *backup.created : Wall::duration(kTooLate);
    if (backup.complete && age > kYoung && (!backup.consistency.empty() || age >= kTooLate)) old.push_back(backup);
  });
  std::erase_if(deleted_backups_,
                [&](const auto& item) { return !item.second.created || bound - *item.second.created > kYoung; });
  for (const BackupFacts& backup : old) {
    vm_backups_.remove(guest_key(backup.namespace_, backup.vm), backup.uid);
    backups_.erase(backup.uid);
  }
}

void World::judged(const std::string& snapshot_uid, const freeze::Verdict& verdict) {
  SnapshotRecord* record = snapshots_.find(snapshot_uid);
  if (record == nullptr) return;
  record->facts.consistency = to_string(verdict.consistency);
  record->facts.reason = verdict.reason;
  snapshot_changed(record->facts);
}

void World::judged_backup(const std::string& backup_uid, const freeze::Verdict& verdict) {
  BackupFacts* backup = backups_.find(backup_uid);
  if (backup == nullptr) return;
  backup->consistency = to_string(verdict.consistency);
  backup_changed(*backup);
}

void World::snapshot_changed(const SnapshotFacts& facts) {
  if (sessions_.find(facts.epoch) != nullptr) {
    news_.sessions.insert(facts.epoch);
    return;
  }
  news_.strays.insert(facts.uid);
  // The last capture or verdict of a backup's members may complete it.
  const bool matters = verdict_given(facts) || facts.epoch == freeze::kEpochOffline;
  if (!matters || listing(facts) == nullptr) return;
  const auto& siblings = siblings_.at(facts.hold->uid);
  news_.strays.insert(siblings.begin(), siblings.end());
}

void World::backup_changed(const BackupFacts& facts) {
  const std::string guest = guest_key(facts.namespace_, facts.vm);
  guest_changed(guest);
  for (const std::string& uid : siblings_.at(facts.uid)) {
    const std::string& epoch = snapshots_.find(uid)->facts.epoch;
    if (sessions_.find(epoch) == nullptr) news_.strays.insert(uid);
  }
}

// An owner reference can be copied onto any number of snapshots; the backup's own list cannot be added to.
const BackupFacts* World::listing(const SnapshotFacts& facts) const {
  if (!of_harvester(facts)) return nullptr;
  const BackupFacts* backup = backups_.find(facts.hold->uid);
  if (backup == nullptr) return nullptr;
  const auto& names = backup->snapshot_names;
  return std::find(names.begin(), names.end(), facts.name) == names.end() ? nullptr : backup;
}

World::HoldRecord* World::hold_of(const SnapshotFacts& facts) {
  SessionRecord* session = sessions_.find(facts.epoch);
  if (session == nullptr || !facts.hold) return nullptr;
  const freeze::Hold& hold = *facts.hold;
  const auto found = std::find_if(session->holds.begin(), session->holds.end(),
                                  [&](const HoldRecord& record) { return record.hold.same_backup(hold); });
  return found == session->holds.end() ? nullptr : &*found;
}

HoldSituation World::describe(const HoldRecord& record, const std::string& epoch) const {
  HoldSituation hold{record.hold, {}, record.quiet_since, record.deleted, record.deleted_names, {}};
  if (const BackupFacts* backup = backups_.find(record.hold.uid)) hold.names = backup->snapshot_names;
  for (const std::string& uid : siblings_.at(record.hold.uid)) {
    const SnapshotFacts& facts = snapshots_.find(uid)->facts;
    if (facts.epoch != epoch && verdict_given(facts)) hold.elsewhere[facts.name] = verdict_of(facts);
  }
  return hold;
}

Member World::describe(const SnapshotRecord& snapshot, const SessionRecord& session) const {
  const SnapshotFacts& facts = snapshot.facts;
  Member member{facts.uid,    facts.namespace_, facts.name,        facts.claim,
                std::nullopt, std::nullopt,     facts.consistency, facts.reason};
  for (std::size_t i = 0; facts.hold && i < session.holds.size(); ++i) {
    if (session.holds[i].hold.same_backup(*facts.hold)) member.hold = i;
  }
  const bool made_since = facts.created && session.session.created && *facts.created >= *session.session.created;
  if (made_since) member.captured = captures_.find(facts.uid);
  return member;
}

GuestSituation World::describe_guest(const SessionRecord& record) const {
  GuestSituation guest;
  guest.known = vmis_.synced();
  const VmiRecord* vmi = vmis_.find(guest_key(record.session.namespace_, record.session.vm));
  guest.gone = vmi == nullptr || vmi->facts.uid != record.session.vmi_uid || !vmi->facts.running;
  if (guest.gone) return guest;
  guest.deleting = vmi->facts.deleting;
  guest.migrating = vmi->facts.migrating;
  return guest;
}

std::optional<Situation> World::situation(const std::string& session_uid) const {
  const SessionRecord* record = sessions_.find(session_uid);
  if (record == nullptr) return std::nullopt;
  Situation situation{record->session, record->sightings, {}, {}, describe_guest(*record)};
  for (const HoldRecord& hold : record->holds) situation.holds.push_back(describe(hold, session_uid));
  for (const std::string& uid : epochs_.at(session_uid)) {
    situation.members.push_back(describe(*snapshots_.find(uid), *record));
  }
  return situation;
}

std::optional<Stray> World::stray(const std::string& snapshot_uid) const {
  const SnapshotRecord* record = snapshots_.find(snapshot_uid);
  if (record == nullptr || sessions_.find(record->facts.epoch) != nullptr) return std::nullopt;
  Stray stray;
  stray.facts = record->facts;
  stray.since = record->stray_since;
  stray.fresh = record->live;
  stray.vmi_seen = record->vmi_seen;
  const auto captured = captures_.find(snapshot_uid);
  stray.captured = captured.has_value();
  if (captured) stray.captured_at = captured->at;
  stray.watched = watched(*record);
  if (verdict_given(record->facts)) stray.own_verdict = verdict_of(record->facts);
  if (!of_harvester(record->facts)) {
    const auto told = told_.find(label_key(record->facts));
    if (told != told_.end()) stray.told = told->second;
    return stray;
  }
  if (const BackupFacts* backup = backups_.find(record->facts.hold->uid)) stray.backup = *backup;
  if (listing(record->facts) == nullptr) return stray;
  for (const std::string& uid : siblings_.at(record->facts.hold->uid)) {
    const SnapshotRecord& sibling = *snapshots_.find(uid);
    if (listing(sibling.facts) == nullptr) continue;
    if (verdict_given(sibling.facts)) stray.verdicts[sibling.facts.name] = verdict_of(sibling.facts);
    if (uid == snapshot_uid) continue;
    stray.siblings.push_back({sibling.facts, captures_.find(uid).has_value(), watched(sibling), sibling.vmi_seen});
  }
  return stray;
}

// Its capture and its guest throughout, without a gap.
bool World::watched(const SnapshotRecord& record) const {
  const auto captured = captures_.find(record.facts.uid);
  if (!captured || !record.live || !synced_since_) return false;
  const Mono since = std::min(record.first_seen, captured->at);
  return since >= *synced_since_ && since >= vmis_complete_since_;
}

void World::told(const SnapshotFacts& facts, Mono now) {
  std::erase_if(told_, [&](const auto& item) { return now >= item.second + kSameLabel; });
  told_[label_key(facts)] = now;
}

std::optional<FrozenGuest> World::frozen_guest(const std::string& guest) const {
  const VmiRecord* vmi = vmis_.find(guest);
  if (vmi == nullptr || !vmi->facts.reported_frozen || guests_.contains(guest)) return std::nullopt;
  FrozenGuest frozen{vmi->facts, vmi->frozen_since, {}};
  if (const auto gone = deleted_backups_.find(guest); gone != deleted_backups_.end()) {
    frozen.backups.push_back(gone->second);
  }
  for (const std::string& uid : vm_backups_.at(guest)) frozen.backups.push_back(*backups_.find(uid));
  return frozen;
}

}  // namespace snapfreeze::sweeper
