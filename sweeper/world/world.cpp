#include "sweeper/world/world.h"

#include <algorithm>
#include <utility>

#include "freeze/names.h"

namespace snapfreeze::sweeper {
namespace {

std::string guest_of(const freeze::Session& session) {
  return guest_key(session.namespace_, session.vm);
}

std::string guest_of(const BackupFacts& backup) {
  return guest_key(backup.namespace_, backup.vm);
}

}  // namespace

News World::apply(const Change& change, Observed now) {
  switch (change.what) {
    case Change::What::kRelistStarted:
      relist_started(rooms_, change.kind);
      return take_news();
    case Change::What::kNotServed:
      relist_started(rooms_, change.kind);
      [[fallthrough]];
    case Change::What::kRelistDone:
      relist_done(change.kind, now);
      return take_news();
    case Change::What::kDeleted:
      remove(change.kind, change.facts, now.at);
      return take_news();
    case Change::What::kAdded:
    case Change::What::kApplied:
      break;
  }
  const bool added = change.what == Change::What::kAdded;
  if (const auto* session = std::get_if<freeze::Session>(&change.facts)) apply(*session, now);
  if (const auto* snapshot = std::get_if<SnapshotFacts>(&change.facts)) apply(*snapshot, added, now);
  if (const auto* capture = std::get_if<CaptureFacts>(&change.facts)) {
    apply(*watch_of(change.kind).source, *capture, now);
  }
  if (const auto* backup = std::get_if<BackupFacts>(&change.facts)) apply(*backup, added, now);
  if (const auto* vmi = std::get_if<VmiFacts>(&change.facts)) apply(*vmi, now);
  if (const auto* vm = std::get_if<VmFacts>(&change.facts)) apply(*vm, now);
  return take_news();
}

void World::remove(Kind kind, const Facts& facts, Mono now) {
  if (const auto* session = std::get_if<freeze::Session>(&facts)) remove_session(session->uid, now, false);
  if (const auto* snapshot = std::get_if<SnapshotFacts>(&facts)) remove_snapshot(snapshot->uid);
  if (const auto* capture = std::get_if<CaptureFacts>(&facts)) {
    rooms_.captures.forget(*watch_of(kind).source, capture->snapshot_uid);
    if (capture->longhorn_volume) rooms_.longhorn_volumes.erase(capture->snapshot_uid);
  }
  if (const auto* backup = std::get_if<BackupFacts>(&facts)) remove_backup(backup->uid, now);
  if (const auto* vmi = std::get_if<VmiFacts>(&facts); vmi != nullptr && rooms_.guests.remove(*vmi)) {
    guest_changed(guest_key(vmi->namespace_, vmi->name));
  }
  if (const auto* vm = std::get_if<VmFacts>(&facts)) rooms_.guests.remove_vm(guest_key(vm->namespace_, vm->name));
}

void World::relist_done(Kind kind, Observed now) {
  for (const std::string& id : sweeper::relist_done(rooms_, kind, now.at)) not_named(kind, id, now.at);
  if (rooms_.synced_since || !synced()) return;
  rooms_.synced_since = now.at;
  news_ = touch_all();
}

void World::not_named(Kind kind, const std::string& id, Mono now) {
  switch (kind) {
    case Kind::kSession:
      return remove_session(id, now, false);
    case Kind::kSnapshot:
      return remove_snapshot(id);
    case Kind::kBackup:
      return remove_backup(id, now);
    case Kind::kVmi:
      rooms_.guests.remove_vmi(id);
      return guest_changed(id);
    case Kind::kVm:
      return rooms_.guests.remove_vm(id);
    case Kind::kContent:
      return rooms_.longhorn_volumes.erase(id);
    case Kind::kLonghornSnapshot:
      break;
  }
}

bool World::synced() const {
  for (int kind = 0; kind < kKinds; ++kind) {
    if (is_watched(static_cast<Kind>(kind), thaw_on_) && !synced(static_cast<Kind>(kind))) return false;
  }
  return true;
}

void World::apply(const freeze::Session& session, Observed now) {
  const bool is_new = rooms_.sessions.find(session.uid) == nullptr;
  if (!rooms_.sessions.apply(session, now)) return;
  touch_session(session.uid);
  if (!is_new) return;
  for (const std::string& uid : rooms_.snapshots.of_epoch(session.namespace_, session.uid)) news_.strays.erase(uid);
}

News World::wrote(const freeze::Session& session, Mono now) {
  if (rooms_.sessions.wrote(session, now)) touch_session(session.uid);
  return take_news();
}

News World::read_afresh(const freeze::Session& session, Mono now) {
  if (rooms_.sessions.read_afresh(session, now)) touch_session(session.uid);
  return take_news();
}

News World::ended(const std::string& session_uid, Mono now) {
  remove_session(session_uid, now, true);
  return take_news();
}

void World::touch_session(const std::string& uid) {
  if (const SessionRecord* record = rooms_.sessions.find(uid)) {
    const std::string guest = guest_of(record->session);
    rooms_.sessions.saw_guest(uid, rooms_.guests.vmi(guest), rooms_.guests.snapshot_in_progress(guest));
  }
  news_.sessions.insert(uid);
}

void World::remove_session(const std::string& uid, Mono now, bool by_us) {
  const auto record = rooms_.sessions.remove(uid, now, by_us);
  if (!record) return;
  if (!by_us) news_.deleted.push_back(record->session);
  news_.sessions.insert(uid);
  for (const std::string& member : rooms_.snapshots.of_epoch(record->session.namespace_, uid)) {
    rooms_.snapshots.change(member, [&](SnapshotRecord& snapshot) { snapshot.stray_since = now; });
    rooms_.captures.forget_live(member);
    news_.strays.insert(member);
  }
  const std::string guest = guest_of(record->session);
  // A session that is deleted while it holds the guest was not ended by a sweeper.
  if (!has_session(guest)) {
    const auto& thawed = record->sightings.released;
    thawed ? rooms_.guests.held_by_us(guest, *thawed, now) : rooms_.guests.held_by_unknown(guest, now);
  }
  guest_changed(guest);
}

void World::apply(const SnapshotFacts& facts, bool added, Observed now) {
  if (facts.deleting) return remove_snapshot(facts.uid);
  // One that was forgotten comes back with its next event, and one that anybody labels is added, too.
  const bool created = added && facts.untouched;
  const auto before = rooms_.snapshots.apply(facts, created, now.at);
  const bool moved = before && (before->epoch != facts.epoch || before->hold != facts.hold);
  if (moved) snapshot_left(*before);
  const VmiRecord* vmi = rooms_.guests.vmi(guest_key(facts.namespace_, facts.vm));
  if (vmi != nullptr && !vmi->facts.off) {
    rooms_.snapshots.change(facts.uid, [](SnapshotRecord& record) { record.vmi_seen = true; });
  }
  if (facts.hold) rooms_.backups.admitted(facts.hold->uid, facts.name);
  report(Captures::Source::kSnapshot, {facts.uid, facts.captured, facts.failed, facts.cut}, now);
  if (!before && created) {
    if (const BackupFacts* backup = listing_backup(rooms_, facts)) rooms_.backups.acted(backup->uid, now.at);
  }
  if (!before || moved) rooms_.sessions.member_came(facts, now.at);
  if (const SnapshotRecord* record = rooms_.snapshots.find(facts.uid)) snapshot_changed(record->facts);
}

// What an object says of the cut and of its failure, or takes back. Whether it is news.
bool World::report(Captures::Source source, const CaptureFacts& said, Observed now) {
  Captures& captures = rooms_.captures;
  bool cut = false;
  if (said.captured) {
    cut = captures.note(source, said.snapshot_uid, now, said.cut);
  } else {
    captures.retract(source, said.snapshot_uid);
  }
  const bool failure = said.failed ? captures.note_failure(source, said.snapshot_uid, now.at)
                                   : captures.retract_failure(source, said.snapshot_uid);
  return cut || failure;
}

void World::apply(Captures::Source source, const CaptureFacts& facts, Observed now) {
  bool news = report(source, facts, now);
  news = note_volume(facts) || news;
  const SnapshotRecord* record = news ? rooms_.snapshots.find(facts.snapshot_uid) : nullptr;
  if (record != nullptr) snapshot_changed(record->facts);
}

// Whether it is one to ask about that was not known. It may come before the snapshot is known, or after.
bool World::note_volume(const CaptureFacts& facts) {
  if (!facts.longhorn_volume) return false;
  const std::string* known = rooms_.longhorn_volumes.find(facts.snapshot_uid);
  const bool news = !facts.longhorn_volume->empty() && (known == nullptr || *known != *facts.longhorn_volume);
  if (facts.longhorn_volume->empty()) {
    rooms_.longhorn_volumes.erase(facts.snapshot_uid);
  } else {
    rooms_.longhorn_volumes.put(facts.snapshot_uid, *facts.longhorn_volume);
  }
  return news;
}

News World::cut_live(const std::string& snapshot_uid, const LiveCut& live) {
  const SnapshotRecord* record = rooms_.snapshots.find(snapshot_uid);
  if (record != nullptr && rooms_.captures.note_live(snapshot_uid, live)) snapshot_changed(record->facts);
  return take_news();
}

void World::remove_snapshot(const std::string& uid) {
  rooms_.captures.forget(Captures::Source::kSnapshot, uid);
  rooms_.captures.forget_live(uid);
  const auto record = rooms_.snapshots.remove(uid);
  if (!record) return;
  news_.strays.erase(uid);
  snapshot_left(record->facts);
}

void World::snapshot_left(const SnapshotFacts& facts) {
  const SessionRecord* session = rooms_.sessions.find_in(facts.namespace_, facts.epoch);
  if (session == nullptr || !facts.hold) return;
  // An older snapshot was never a member.
  if (!facts.created || !session->session.created || *facts.created < *session->session.created) return;
  rooms_.sessions.member_left(facts);
  news_.sessions.insert(facts.epoch);
}

void World::apply(const BackupFacts& facts, bool added, Observed now) {
  if (facts.deleting) return remove_backup(facts.uid, now.at);
  const auto before = rooms_.backups.apply(facts, added, now);
  if (!before) {
    for (const std::string& uid : rooms_.snapshots.of_backup(facts.uid)) {
      rooms_.backups.admitted(facts.uid, rooms_.snapshots.find(uid)->facts.name);
    }
  }
  if (before && guest_of(*before) != guest_of(facts)) backup_left(*before);
  backup_changed(facts);
}

void World::remove_backup(const std::string& uid, Mono now) {
  const auto gone = rooms_.backups.remove(uid, now);
  if (!gone) return;
  backup_left(*gone);
  backup_changed(*gone);
}

void World::backup_left(const BackupFacts& facts) {
  const std::set<std::string> sessions = rooms_.sessions.of_guest(guest_of(facts));
  for (const std::string& uid : sessions) rooms_.sessions.backup_left(uid, facts.uid);
  guest_changed(guest_of(facts));
}

void World::apply(const VmiFacts& facts, Observed now) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  rooms_.guests.apply(facts, now.at);
  if (!facts.off) {
    const std::set<std::string> offline = rooms_.snapshots.of_epoch(facts.namespace_, freeze::kEpochOffline);
    for (const std::string& uid : offline) {
      rooms_.snapshots.change(uid, [&](SnapshotRecord& record) {
        if (record.facts.vm == facts.name) record.vmi_seen = true;
      });
    }
  }
  guest_changed(guest);
}

void World::apply(const VmFacts& facts, Observed now) {
  rooms_.guests.apply(facts, now.at);
  guest_changed(guest_key(facts.namespace_, facts.name));
}

void World::guest_changed(const std::string& guest) {
  const std::set<std::string> sessions = rooms_.sessions.of_guest(guest);
  for (const std::string& uid : sessions) touch_session(uid);
  const VmiRecord* vmi = rooms_.guests.vmi(guest);
  if (vmi != nullptr && vmi->facts.reported_frozen) news_.guests.insert(guest);
}

News World::judged(const std::string& snapshot_uid, const freeze::Verdict& verdict) {
  rooms_.snapshots.change(snapshot_uid, [&](SnapshotRecord& record) {
    record.facts.verdict = verdict;
    record.judged = verdict;
  });
  if (const SnapshotRecord* record = rooms_.snapshots.find(snapshot_uid)) snapshot_changed(record->facts);
  return take_news();
}

News World::judged_backup(const std::string& backup_uid, const freeze::Verdict& verdict) {
  rooms_.backups.judged(backup_uid, verdict);
  if (const BackupFacts* backup = rooms_.backups.find(backup_uid)) backup_changed(*backup);
  return take_news();
}

void World::snapshot_changed(const SnapshotFacts& facts) {
  if (rooms_.sessions.find_in(facts.namespace_, facts.epoch) != nullptr) {
    news_.sessions.insert(facts.epoch);
    return;
  }
  news_.strays.insert(facts.uid);
  // A capture or a verdict may be the last one that its backup waits for.
  if (listing_backup(rooms_, facts) == nullptr) return;
  const auto& siblings = rooms_.snapshots.of_backup(facts.hold->uid);
  news_.strays.insert(siblings.begin(), siblings.end());
}

void World::backup_changed(const BackupFacts& facts) {
  guest_changed(guest_of(facts));
  for (const std::string& uid : rooms_.snapshots.of_backup(facts.uid)) {
    const SnapshotRecord* record = rooms_.snapshots.find(uid);
    if (rooms_.sessions.find_in(record->facts.namespace_, record->facts.epoch) == nullptr) news_.strays.insert(uid);
  }
}

News World::touch_all() {
  News rest = take_news();
  rooms_.sessions.for_each([&](const std::string& uid, const SessionRecord&) { rest.sessions.insert(uid); });
  rooms_.snapshots.for_each([&](const std::string& uid, const SnapshotRecord& record) {
    if (rooms_.sessions.find_in(record.facts.namespace_, record.facts.epoch) == nullptr) rest.strays.insert(uid);
  });
  rooms_.guests.for_each_vmi([&](const std::string& guest, const VmiRecord& record) {
    if (record.facts.reported_frozen) rest.guests.insert(guest);
  });
  return rest;
}

}  // namespace snapfreeze::sweeper
