#include "sweeper/world/describe.h"

#include <algorithm>

#include "freeze/names.h"
#include "kube/replay.h"

namespace snapfreeze::sweeper {
namespace {

// What Harvester did this shortly before the session began may still have frozen the guest.
constexpr std::chrono::seconds kShortlyBefore{5};

HoldSituation describe_hold(const Rooms& rooms, const HoldRecord& record, const freeze::Session& session) {
  HoldSituation hold{record.hold, {}, record.quiet_since, record.deleted, record.deleted_names, {}};
  const BackupFacts* backup = rooms.backups.find(record.hold.uid);
  if (backup != nullptr && backup->namespace_ == session.namespace_) hold.names = backup->snapshot_names;
  for (const std::string& uid : rooms.snapshots.of_backup(record.hold.uid)) {
    const SnapshotRecord& snapshot = *rooms.snapshots.find(uid);
    const SnapshotFacts& facts = snapshot.facts;
    if (facts.namespace_ != session.namespace_ || facts.epoch == session.uid) continue;
    if (facts.verdict) hold.elsewhere[facts.name] = *facts.verdict;
  }
  return hold;
}

// nullopt: it is older than the session, and so was not admitted to it.
std::optional<Member> describe_member(const Rooms& rooms, const SnapshotFacts& facts, const SessionRecord& session) {
  if (!facts.created || !session.session.created || *facts.created < *session.session.created) return std::nullopt;
  Member member;
  member.uid = facts.uid;
  member.namespace_ = facts.namespace_;
  member.name = facts.name;
  member.claim = facts.claim;
  member.created = facts.created;
  member.captured = rooms.captures.find(facts.uid);
  member.source = rooms.captures.first_source(facts.uid);
  member.live = rooms.captures.live(facts.uid);
  member.confirmed = rooms.captures.confirmed(facts.uid);
  if (!member.cut()) member.failed_since = rooms.captures.failed_since(facts.uid);
  if (const std::string* volume = rooms.longhorn_volumes.find(facts.uid)) member.longhorn_volume = *volume;
  member.verdict = facts.verdict;
  for (std::size_t i = 0; facts.hold && i < session.holds.size(); ++i) {
    if (session.holds[i].hold.same_backup(*facts.hold)) member.hold = i;
  }
  return member;
}

GuestSituation describe_guest(const Rooms& rooms, const freeze::Session& session) {
  GuestSituation guest;
  guest.known = rooms.listing(Kind::kVmi).once;
  const VmiRecord* vmi = rooms.guests.vmi(guest_key(session.namespace_, session.vm));
  guest.gone = vmi == nullptr || vmi->facts.uid != session.vmi_uid || !vmi->facts.running;
  if (guest.gone) return guest;
  guest.reported_frozen = vmi->facts.reported_frozen;
  guest.deleting = vmi->facts.deleting;
  guest.migrating = vmi->facts.migrating;
  return guest;
}

void add_backups(const Rooms& rooms, const std::string& guest, Mono since, Situation& situation) {
  const std::string& frozen = situation.sightings.frozen_version;
  const auto unfinished = [&](const BackupRecord& record) {
    return !record.facts.complete || (record.completed && *record.completed >= since);
  };
  const auto add = [&](const BackupRecord& record) {
    BackupFacts& facts = situation.backups.emplace_back(record.facts);
    facts.deadline = record.longest_deadline;
    facts.harvester_froze = record.froze;
    if (kube::is_not_after(frozen, record.first_version)) situation.created_later.insert(facts.uid);
  };
  for (const DeletedBackup& deleted : rooms.backups.deleted(guest)) {
    if (deleted.at >= since && unfinished(deleted.record)) add(deleted.record);
  }
  for (const std::string& uid : rooms.backups.of_guest(guest)) {
    const BackupRecord& record = *rooms.backups.record(uid);
    if (unfinished(record)) add(record);
  }
}

Evidence evidence(const Rooms& rooms, const SnapshotRecord& record) {
  Evidence found{record.facts, std::nullopt, false, record.vmi_seen, record.judged, record.first_version};
  const auto captured = rooms.captures.find(record.facts.uid);
  if (!captured) return found;
  found.captured = captured->at;
  const Mono since = std::min(record.first_seen, captured->at);
  const bool all_seen =
      rooms.synced_since && since >= *rooms.synced_since && since >= rooms.listing(Kind::kVmi).complete_since;
  found.watched = record.live && all_seen;
  return found;
}

}  // namespace

const BackupFacts* listing_backup(const Rooms& rooms, const SnapshotFacts& facts) {
  if (!facts.hold || facts.hold->kind != freeze::Hold::Kind::kHarvester) return nullptr;
  const BackupFacts* backup = rooms.backups.find(facts.hold->uid);
  if (backup == nullptr || backup->namespace_ != facts.namespace_) return nullptr;
  const auto& names = backup->snapshot_names;
  return std::find(names.begin(), names.end(), facts.name) == names.end() ? nullptr : backup;
}

std::optional<Situation> describe_session(const Rooms& rooms, const std::string& session_uid) {
  const SessionRecord* record = rooms.sessions.find(session_uid);
  if (record == nullptr) return std::nullopt;
  const freeze::Session& session = record->session;
  Situation situation;
  situation.session = session;
  situation.sightings = record->sightings;
  situation.guest = describe_guest(rooms, session);
  for (const HoldRecord& hold : record->holds) situation.holds.push_back(describe_hold(rooms, hold, session));
  for (const std::string& uid : rooms.snapshots.of_epoch(session.namespace_, session_uid)) {
    auto member = describe_member(rooms, rooms.snapshots.find(uid)->facts, *record);
    if (member) situation.members.push_back(std::move(*member));
  }
  const Mono since = record->sightings.first_seen - kShortlyBefore;
  add_backups(rooms, guest_key(session.namespace_, session.vm), since, situation);
  return situation;
}

std::optional<Stray> describe_stray(const Rooms& rooms, const std::string& snapshot_uid) {
  const SnapshotRecord* record = rooms.snapshots.find(snapshot_uid);
  if (record == nullptr) return std::nullopt;
  const SnapshotFacts& facts = record->facts;
  if (rooms.sessions.find_in(facts.namespace_, facts.epoch) != nullptr) return std::nullopt;
  Stray stray;
  stray.own = evidence(rooms, *record);
  stray.since = record->stray_since;
  stray.fresh = record->live;
  stray.told = rooms.snapshots.told(facts);
  stray.planted = rooms.sessions.is_elsewhere(facts.namespace_, facts.epoch);
  const BackupFacts* backup = listing_backup(rooms, facts);
  if (backup == nullptr) return stray;
  stray.backup = *backup;
  for (const std::string& uid : rooms.snapshots.of_backup(backup->uid)) {
    const SnapshotRecord& sibling = *rooms.snapshots.find(uid);
    if (listing_backup(rooms, sibling.facts) != nullptr) stray.members.push_back(evidence(rooms, sibling));
  }
  return stray;
}

std::optional<FrozenGuest> describe_frozen_guest(const Rooms& rooms, const std::string& guest) {
  const VmiRecord* vmi = rooms.guests.vmi(guest);
  if (vmi == nullptr || !vmi->facts.reported_frozen || !rooms.sessions.of_guest(guest).empty()) return std::nullopt;
  FrozenGuest frozen;
  frozen.vmi = vmi->facts;
  frozen.since = vmi->frozen_since;
  frozen.freeze_seen = vmi->freeze_seen;
  frozen.mute = vmi->mute;
  frozen.thawed = vmi->thawed;
  frozen.kubevirt_snapshot = rooms.guests.snapshot_in_progress(guest);
  for (DeletedBackup& deleted : rooms.backups.deleted(guest)) frozen.backups.push_back(std::move(deleted.record));
  for (const std::string& uid : rooms.backups.of_guest(guest)) frozen.backups.push_back(*rooms.backups.record(uid));
  return frozen;
}

}  // namespace snapfreeze::sweeper
