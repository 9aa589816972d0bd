#include "sweeper/world/guests.h"

namespace snapfreeze::sweeper {

std::string guest_key(std::string_view ns, std::string_view vm) {
  std::string key;
  key.reserve(ns.size() + 1 + vm.size());
  return key.append(ns).append("/").append(vm);
}

namespace {

// After which a guest that can be asked has been.
constexpr std::chrono::seconds kAsked{15};

bool was_asked(const VmiRecord& record, Mono now) {
  return record.speaks_since && now > *record.speaks_since + kAsked;
}

void note_speech(VmiRecord& record, Mono now) {
  const bool mute = record.facts.agent_gone || record.facts.paused;
  if (!mute) {
    if (record.mute_since && !record.speaks_since) record.speaks_since = now;
    return;
  }
  if (!record.mute_since || was_asked(record, now)) record.mute_since = now;
  record.speaks_since.reset();
}

// What it reports counts from `now` on.
void count_from(VmiRecord& record, Mono now, Millis mute) {
  record.frozen_since = now;
  record.freeze_seen = false;
  record.mute = mute;
}

Millis muteness(const VmiRecord& record, Mono now) {
  if (!record.mute_since || was_asked(record, now)) return Millis(0);
  return std::chrono::ceil<Millis>(now - *record.mute_since);
}

}  // namespace

bool Guests::apply(const VmiFacts& facts, Mono now) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  const VmiRecord* known = vmis_.find(guest);
  const bool another = known == nullptr || known->facts.uid != facts.uid;
  VmiRecord record;
  if (!another) record = *known;
  record.facts = facts;
  note_speech(record, now);
  // A list shows the last state only.
  const bool no_gap = !another && (!vmis_.relisting() || known->facts.version == facts.version);
  if (!no_gap) record.told_since = facts.version;
  if (another || !known->facts.reported_frozen) {
    record.frozen_since = now;
    record.freeze_seen = !another && vmis_.live();
    record.mute = muteness(record, now);
  }
  vmis_.put(guest, std::move(record));
  return another;
}

void Guests::apply(const VmFacts& facts, Mono now) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  if (facts.snapshot_in_progress) {
    vms_.put(guest, facts);
    return;
  }
  if (snapshot_in_progress(guest)) held_by_kubevirt(guest, now);
  vms_.erase(guest);
}

bool Guests::remove(const VmiFacts& facts) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  const VmiRecord* known = vmis_.find(guest);
  if (known == nullptr || known->facts.uid != facts.uid) return false;
  vmis_.erase(guest);
  return true;
}

void Guests::held_by_us(const std::string& guest, Mono thawed, Mono now) {
  vmis_.change(guest, [&](VmiRecord& record) {
    count_from(record, now, Millis(0));
    record.thawed = thawed;
  });
}

void Guests::held_by_kubevirt(const std::string& guest, Mono now) {
  vmis_.change(guest, [&](VmiRecord& record) { count_from(record, now, Millis(0)); });
}

void Guests::held_by_unknown(const std::string& guest, Mono now) {
  vmis_.change(guest, [&](VmiRecord& record) {
    count_from(record, now, record.mute + std::chrono::ceil<Millis>(now - record.frozen_since));
  });
}

}  // namespace snapfreeze::sweeper
