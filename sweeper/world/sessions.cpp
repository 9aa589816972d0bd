#include "sweeper/world/sessions.h"

#include <algorithm>

#include "kube/replay.h"

namespace snapfreeze::sweeper {
namespace {

// How long, and how many, ended sessions are remembered.
constexpr std::chrono::hours kRemembered{1};
constexpr std::size_t kMostRemembered = 10'000;

// Resource versions are opaque by contract, but decimal numbers that grow in every API server there is, and comparable
// by contract since Kubernetes 1.35. A version that is not a number is taken for newer.
bool is_newer(const std::string& candidate, const std::string& known) {
  return !kube::is_not_after(candidate, known);
}

// From a state before the session on, without a gap, and without an agent that went before we knew of the freeze.
void follow(const VmiRecord& vmi, const freeze::Session& session, Sightings& seen) {
  // One that is only being frozen is as it was created.
  const std::string& start = session.version_before.empty() ? session.resource_version : session.version_before;
  const bool so_far = seen.vmi_seen ? !seen.told_until.empty() : kube::is_not_after(vmi.facts.version, start);
  const bool no_gap = kube::is_not_after(vmi.told_since, start);
  const bool heeded = freeze::is_frozen(session.phase) || !vmi.facts.agent_gone;
  seen.told_until = so_far && no_gap && heeded ? vmi.facts.version : "";
}

}  // namespace

HoldRecord* SessionRecord::find(const freeze::Hold& hold) {
  const auto found =
      std::find_if(holds.begin(), holds.end(), [&](const HoldRecord& mine) { return mine.hold.same_backup(hold); });
  return found == holds.end() ? nullptr : &*found;
}

std::string Sessions::ByGuest::key(const SessionRecord& record) {
  return guest_key(record.session.namespace_, record.session.vm);
}

bool Sessions::apply(const freeze::Session& session, Observed now) {
  const SessionRecord* known = table_.find(session.uid);
  if (known == nullptr) {
    const auto ended = ended_.find(session.uid);
    // An event from before our own delete, unless a list says that it is there.
    if (ended != ended_.end() && ended->second.by_us && !table_.relisting()) return false;
    begin(session, now);
    return true;
  }
  table_.name(session.uid);
  const bool same = session.resource_version == known->session.resource_version;
  const bool wins = table_.relisting() ? !same : is_newer(session.resource_version, known->session.resource_version);
  return wins && replace(session, now.at);
}

void Sessions::begin(const freeze::Session& session, Observed now) {
  SessionRecord record;
  Sightings& seen = record.sightings;
  seen.first_seen = now.at;
  const bool young =
      session.created && now.bound != Wall::max() && now.for_age(*session.created) - *session.created <= kBirth;
  seen.from_birth = table_.live() && young && session.phase == freeze::Phase::kFreezing;
  // A restored etcd may bring one back.
  if (const auto ended = ended_.find(session.uid); ended != ended_.end()) seen.released = ended->second.released;
  ended_.erase(session.uid);
  table_.put(session.uid, std::move(record));
  replace(session, now.at);
}

bool Sessions::wrote(const freeze::Session& session, Mono now) {
  const SessionRecord* known = table_.find(session.uid);
  if (known == nullptr) return false;
  table_.name(session.uid);
  return is_newer(session.resource_version, known->session.resource_version) && replace(session, now);
}

bool Sessions::read_afresh(const freeze::Session& session, Mono now) {
  if (!table_.contains(session.uid)) return false;
  table_.name(session.uid);
  return replace(session, now);
}

bool Sessions::replace(const freeze::Session& session, Mono now) {
  table_.change(session.uid, [&](SessionRecord& record) {
    Sightings& seen = record.sightings;
    const bool is_new = record.session.uid.empty();
    if (is_new || record.session.phase != session.phase) seen.phase_since = now;
    if (!is_new) --phases_[record.session.phase];
    ++phases_[session.phase];
    if (freeze::is_frozen(session.phase) && !seen.frozen_since) {
      seen.frozen_since = now;
      seen.frozen_version = session.resource_version;
    }
    if (freeze::releases_guest(session.phase) && !seen.released) seen.released = now;
    record.session = session;
    for (const freeze::Hold& hold : session.holds) {
      if (record.find(hold) == nullptr) record.holds.push_back({hold, now, false, {}});
    }
  });
  return true;
}

std::optional<SessionRecord> Sessions::remove(const std::string& uid, Mono now, bool by_us) {
  const SessionRecord* known = table_.find(uid);
  if (known == nullptr) {
    // The watch has caught up: no event from before can come any more.
    const auto ended = ended_.find(uid);
    if (!by_us && ended != ended_.end()) ended->second.by_us = false;
    return std::nullopt;
  }
  SessionRecord record = *known;
  --phases_[record.session.phase];
  remember(record, now, by_us);
  table_.erase(uid);
  return record;
}

void Sessions::saw_guest(const std::string& uid, const VmiRecord* vmi, bool kubevirt_snapshot) {
  const SessionRecord* known = table_.find(uid);
  if (known == nullptr || !freeze::holds_guest(known->session.phase)) return;
  table_.change(uid, [&](SessionRecord& record) {
    Sightings& seen = record.sightings;
    if (kubevirt_snapshot) seen.kubevirt_snapshot = true;
    if (vmi == nullptr || vmi->facts.uid != record.session.vmi_uid) return;
    const VmiFacts& facts = vmi->facts;
    follow(*vmi, record.session, seen);
    seen.vmi_seen = true;
    if (!seen.migration_uid) seen.migration_uid = facts.migration_uid;
    if (facts.migrating || facts.migration_uid != *seen.migration_uid) seen.migrated = true;
    if (!freeze::is_frozen(record.session.phase)) return;
    if (!facts.reported_frozen && seen.reported_frozen) seen.lapsed = true;
    // It was there for the freeze. A reset of the guest, which thaws it, shows at once in that its agent is gone; in
    // fsFreezeStatus perhaps never, for that is polled.
    if (facts.agent_gone) seen.agent_lost = true;
    if (facts.reported_frozen) seen.reported_frozen = true;
  });
}

void Sessions::member_came(const SnapshotFacts& member, Mono now) {
  table_.change(member.epoch, [&](SessionRecord& record) {
    const bool ours = member.hold && record.session.namespace_ == member.namespace_;
    HoldRecord* hold = ours ? record.find(*member.hold) : nullptr;
    if (hold != nullptr) hold->quiet_since = std::max(hold->quiet_since, now);
  });
}

void Sessions::member_left(const SnapshotFacts& member) {
  table_.change(member.epoch, [&](SessionRecord& record) {
    HoldRecord* hold = record.find(*member.hold);
    if (hold == nullptr) return;
    hold->deleted = true;
    hold->deleted_names.insert(member.name);
  });
}

void Sessions::backup_left(const std::string& uid, const std::string& backup_uid) {
  table_.change(uid, [&](SessionRecord& record) {
    for (HoldRecord& hold : record.holds) {
      if (hold.hold.uid == backup_uid) hold.deleted = true;
    }
  });
}

void Sessions::remember(const SessionRecord& record, Mono now, bool by_us) {
  std::erase_if(ended_, [&](const auto& item) { return now - item.second.at > kRemembered; });
  if (ended_.size() >= kMostRemembered) ended_.erase(ended_.begin());
  ended_[record.session.uid] = {record.session.namespace_, now, by_us, record.sightings.released};
}

const SessionRecord* Sessions::find_in(const std::string& ns, const std::string& uid) const {
  const SessionRecord* record = table_.find(uid);
  return record != nullptr && record->session.namespace_ == ns ? record : nullptr;
}

bool Sessions::is_elsewhere(const std::string& ns, const std::string& uid) const {
  if (const SessionRecord* record = table_.find(uid)) return record->session.namespace_ != ns;
  const auto ended = ended_.find(uid);
  return ended != ended_.end() && ended->second.namespace_ != ns;
}

}  // namespace snapfreeze::sweeper
