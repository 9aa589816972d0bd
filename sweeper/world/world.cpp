#include "sweeper/world/world.h"

#include <algorithm>
#include <charconv>

#include "freeze/names.h"

namespace snapfreeze::sweeper {
namespace {

// Resource versions are opaque by contract, but decimal numbers that grow in every API server there is, and comparable
// by contract since Kubernetes 1.35. What is no number is taken for newer.
bool is_newer(const std::string& candidate, const std::string& known) {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  const auto parsed = [](const std::string& text, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  };
  return !parsed(candidate, a) || !parsed(known, b) || a > b;
}

std::string guest_of(const freeze::Session& session) {
  return World::guest_key(session.namespace_, session.vm);
}

}  // namespace

std::string World::guest_key(std::string_view ns, std::string_view vm) {
  return std::string(ns) + "/" + std::string(vm);
}

void World::apply(const Change& change, Observed now) {
  switch (change.what) {
    case Change::What::kRelistStarted:
      return relist_started(change.kind);
    case Change::What::kRelistDone:
      return relist_done(change.kind, now);
    case Change::What::kNotServed:
      relist_started(change.kind);
      return relist_done(change.kind, now);
    case Change::What::kDeleted:
      return deleted(change.kind, change.facts, now.at);
    case Change::What::kApplied:
      break;
  }
  if (const auto* session = std::get_if<freeze::Session>(&change.facts)) apply(*session, now);
  if (const auto* snapshot = std::get_if<SnapshotFacts>(&change.facts)) apply(*snapshot, now);
  if (const auto* capture = std::get_if<CaptureFacts>(&change.facts)) {
    apply(change.kind == Kind::kContent ? Captures::Source::kContent : Captures::Source::kLonghorn, *capture, now);
  }
  if (const auto* backup = std::get_if<BackupFacts>(&change.facts)) apply(*backup);
  if (const auto* vmi = std::get_if<VmiFacts>(&change.facts)) apply(*vmi, now);
  if (const auto* vm = std::get_if<VmFacts>(&change.facts)) apply(*vm);
}

void World::deleted(Kind kind, const Facts& facts, Mono now) {
  if (const auto* session = std::get_if<freeze::Session>(&facts)) {
    tombstones_.erase(session->uid);
    remove_session(session->uid, now);
  }
  if (const auto* snapshot = std::get_if<SnapshotFacts>(&facts)) remove_snapshot(snapshot->uid);
  if (const auto* capture = std::get_if<CaptureFacts>(&facts)) {
    apply(kind == Kind::kContent ? Captures::Source::kContent : Captures::Source::kLonghorn,
          {capture->snapshot_uid, false}, {});
  }
  if (const auto* backup = std::get_if<BackupFacts>(&facts)) remove_backup(*backup);
  if (const auto* vmi = std::get_if<VmiFacts>(&facts)) {
    const std::string guest = guest_key(vmi->namespace_, vmi->name);
    const VmiRecord* known = vmis_.find(guest);
    if (known != nullptr && known->facts.uid == vmi->uid) remove_vmi(guest);
  }
  if (const auto* vm = std::get_if<VmFacts>(&facts)) remove_vm(guest_key(vm->namespace_, vm->name));
}

void World::relist_started(Kind kind) {
  switch (kind) {
    case Kind::kSession:
      for (auto& [uid, unnamed] : tombstones_) unnamed = true;
      return sessions_.relist_started();
    case Kind::kSnapshot:
      captures_.relist_started(Captures::Source::kSnapshot);
      return snapshots_.relist_started();
    case Kind::kContent:
      return captures_.relist_started(Captures::Source::kContent);
    case Kind::kLonghornSnapshot:
      return captures_.relist_started(Captures::Source::kLonghorn);
    case Kind::kBackup:
      return backups_.relist_started();
    case Kind::kVmi:
      vmis_complete_since_ = Mono::max();
      return vmis_.relist_started();
    case Kind::kVm:
      return vms_.relist_started();
  }
}

void World::relist_done(Kind kind, Observed now) {
  switch (kind) {
    case Kind::kSession:
      std::erase_if(tombstones_, [](const auto& tombstone) { return tombstone.second; });
      for (const std::string& uid : sessions_.relist_done()) remove_session(uid, now.at);
      break;
    case Kind::kSnapshot:
      captures_.relist_done(Captures::Source::kSnapshot);
      for (const std::string& uid : snapshots_.relist_done()) remove_snapshot(uid);
      break;
    case Kind::kContent:
      captures_.relist_done(Captures::Source::kContent);
      contents_synced_ = true;
      break;
    case Kind::kLonghornSnapshot:
      captures_.relist_done(Captures::Source::kLonghorn);
      longhorn_synced_ = true;
      break;
    case Kind::kBackup:
      for (const std::string& uid : backups_.relist_done()) remove_backup(BackupFacts(*backups_.find(uid)));
      break;
    case Kind::kVmi:
      vmis_complete_since_ = now.at;
      for (const std::string& guest : vmis_.relist_done()) remove_vmi(guest);
      break;
    case Kind::kVm:
      for (const std::string& guest : vms_.relist_done()) remove_vm(guest);
      break;
  }
  if (!synced_since_ && synced()) {
    synced_since_ = now.at;
    touch_all();
  }
}

bool World::synced(Kind kind) const {
  switch (kind) {
    case Kind::kSession:
      return sessions_.synced();
    case Kind::kSnapshot:
      return snapshots_.synced();
    case Kind::kContent:
      return contents_synced_;
    case Kind::kLonghornSnapshot:
      return longhorn_synced_;
    case Kind::kBackup:
      return backups_.synced();
    case Kind::kVmi:
      return vmis_.synced();
    case Kind::kVm:
      break;
  }
  return vms_.synced();
}

bool World::synced() const {
  for (int kind = 0; kind < kKinds; ++kind) {
    if (is_watched(static_cast<Kind>(kind), thaw_on_) && !synced(static_cast<Kind>(kind))) return false;
  }
  return true;
}

void World::apply(const freeze::Session& session, Observed now) {
  if (const auto tombstone = tombstones_.find(session.uid); tombstone != tombstones_.end()) {
    tombstone->second = false;
    return;
  }
  const bool known = sessions_.find(session.uid) != nullptr;
  SessionRecord& record = sessions_.name(session.uid);
  if (!known) {
    record.sightings.first_seen = now.at;
    record.sightings.from_birth = sessions_.live() && session.phase == freeze::Phase::kFreezing;
    guests_.add(guest_of(session), session.uid);
    for (const std::string& uid : epochs_.at(session.uid)) news_.strays.erase(uid);
  } else if (!is_newer(session.resource_version, record.session.resource_version)) {
    return;
  }
  store(record, session, now.at);
}

void World::wrote(const freeze::Session& session, Mono now) {
  SessionRecord* record = sessions_.find(session.uid);
  if (record == nullptr) return;
  sessions_.name(session.uid);
  if (is_newer(session.resource_version, record->session.resource_version)) store(*record, session, now);
}

void World::store(SessionRecord& record, const freeze::Session& session, Mono now) {
  Sightings& seen = record.sightings;
  const bool is_new = record.session.uid.empty();
  if (is_new || record.session.phase != session.phase) seen.phase_since = now;
  if (!is_new) --phases_[record.session.phase];
  ++phases_[session.phase];
  if (session.phase == freeze::Phase::kFrozen && !seen.frozen_since) seen.frozen_since = now;
  record.session = session;
  for (const freeze::Hold& hold : session.holds) {
    const auto same = [&](const HoldRecord& known) { return known.hold.same_backup(hold); };
    if (std::none_of(record.holds.begin(), record.holds.end(), same)) record.holds.push_back({hold, now, false, {}});
  }
  look_at_guest(record);
  news_.sessions.insert(session.uid);
}

void World::ended(const std::string& session_uid, Mono now) {
  if (sessions_.find(session_uid) == nullptr) return;
  tombstones_[session_uid] = false;
  remove_session(session_uid, now);
}

void World::remove_session(const std::string& uid, Mono now) {
  const SessionRecord* record = sessions_.find(uid);
  if (record == nullptr) return;
  const std::string guest = guest_of(record->session);
  guests_.remove(guest, uid);
  if (!tombstones_.contains(uid)) news_.deleted.push_back(record->session);
  news_.sessions.insert(uid);
  --phases_[record->session.phase];
  sessions_.erase(uid);
  for (const std::string& member : epochs_.at(uid)) {
    snapshots_.find(member)->stray_since = now;
    news_.strays.insert(member);
  }
  // The status is polled: what it says now may be of before our thaw.
  if (VmiRecord* vmi = vmis_.find(guest); vmi != nullptr && !guests_.contains(guest)) vmi->frozen_since = now;
  guest_changed(guest);
}

void World::look_at_guest(SessionRecord& record) {
  const freeze::Session& session = record.session;
  Sightings& seen = record.sightings;
  const std::string guest = guest_of(session);
  if (session.phase != freeze::Phase::kFreezing && session.phase != freeze::Phase::kFrozen) return;
  if (vms_.find(guest) != nullptr) seen.kubevirt_snapshot = true;
  const VmiRecord* vmi = vmis_.find(guest);
  if (vmi == nullptr || vmi->facts.uid != session.vmi_uid) return;
  seen.vmi_seen = true;
  if (!seen.migration_uid) seen.migration_uid = vmi->facts.migration_uid;
  if (vmi->facts.migrating || vmi->facts.migration_uid != *seen.migration_uid) seen.migrated = true;
  if (session.phase != freeze::Phase::kFrozen) return;
  if (!vmi->facts.reported_frozen && seen.reported_frozen) seen.lapsed = true;
  // It was there for the freeze. A reset of the guest, which thaws it, shows at once in that its agent is gone; in
  // fsFreezeStatus perhaps never, for that is polled.
  if (vmi->facts.agent_gone) seen.agent_lost = true;
  if (vmi->facts.reported_frozen) seen.reported_frozen = true;
}

void World::apply(const VmiFacts& facts, Observed now) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  const VmiRecord* known = vmis_.find(guest);
  const bool another = known == nullptr || known->facts.uid != facts.uid;
  VmiRecord& record = vmis_.name(guest);
  if (another || !record.facts.reported_frozen) record.frozen_since = now.at;
  record.facts = facts;
  if (another) {
    for (const std::string& uid : epochs_.at(freeze::kEpochOffline)) {
      SnapshotRecord* snapshot = snapshots_.find(uid);
      if (guest_key(snapshot->facts.namespace_, snapshot->facts.vm) == guest) snapshot->vmi_seen = true;
    }
  }
  guest_changed(guest);
}

void World::apply(const VmFacts& facts) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  if (!facts.snapshot_in_progress) return remove_vm(guest);
  vms_.name(guest) = facts;
  guest_changed(guest);
}

void World::remove_vmi(const std::string& guest) {
  vmis_.erase(guest);
  guest_changed(guest);
}

void World::remove_vm(const std::string& guest) {
  vms_.erase(guest);
}

void World::guest_changed(const std::string& guest) {
  for (const std::string& uid : guests_.at(guest)) {
    look_at_guest(*sessions_.find(uid));
    news_.sessions.insert(uid);
  }
  const VmiRecord* vmi = vmis_.find(guest);
  if (vmi != nullptr && vmi->facts.reported_frozen) news_.guests.insert(guest);
}

World::News World::take_news() {
  return std::exchange(news_, {});
}

void World::touch_all() {
  sessions_.for_each([&](const std::string& uid, const SessionRecord&) { news_.sessions.insert(uid); });
  snapshots_.for_each([&](const std::string&, const SnapshotRecord& record) { snapshot_changed(record.facts); });
  vmis_.for_each([&](const std::string& guest, const VmiRecord& record) {
    if (record.facts.reported_frozen) news_.guests.insert(guest);
  });
}

}  // namespace snapfreeze::sweeper
