#include "sweeper/world/guests.h"

namespace snapfreeze::sweeper {

std::string guest_key(std::string_view ns, std::string_view vm) {
  std::string key;
  key.reserve(ns.size() + 1 + vm.size());
  return key.append(ns).append("/").append(vm);
}

bool Guests::apply(const VmiFacts& facts, Mono now) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  const VmiRecord* known = vmis_.find(guest);
  const bool another = known == nullptr || known->facts.uid != facts.uid;
  VmiRecord record{facts, facts.version, now, false, std::nullopt};
  if (!another) record.thawed = known->thawed;
  // A list shows the last state only.
  const bool no_gap = !another && (!vmis_.relisting() || known->facts.version == facts.version);
  if (no_gap) record.told_since = known->told_since;
  if (!another && known->facts.reported_frozen) {
    record.frozen_since = known->frozen_since;
    record.freeze_seen = known->freeze_seen;
  } else {
    record.freeze_seen = !another && vmis_.live();
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
  if (snapshot_in_progress(guest)) held_no_more(guest, std::nullopt, now);
  vms_.erase(guest);
}

bool Guests::remove(const VmiFacts& facts) {
  const std::string guest = guest_key(facts.namespace_, facts.name);
  const VmiRecord* known = vmis_.find(guest);
  if (known == nullptr || known->facts.uid != facts.uid) return false;
  vmis_.erase(guest);
  return true;
}

void Guests::held_no_more(const std::string& guest, std::optional<Mono> thawed, Mono now) {
  vmis_.change(guest, [&](VmiRecord& record) {
    record.frozen_since = now;
    record.freeze_seen = false;
    if (thawed) record.thawed = thawed;
  });
}

}  // namespace snapfreeze::sweeper
