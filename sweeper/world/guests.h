// The guests: their VMIs, and the VMs of which KubeVirt takes a snapshot of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sweeper/facts.h"
#include "sweeper/world/captures.h"
#include "sweeper/world/table.h"

namespace snapfreeze::sweeper {

// The key of a guest, and of what is looked up beside it: "namespace/name".
[[nodiscard]] std::string guest_key(std::string_view ns, std::string_view vm);

struct VmiRecord {
  VmiFacts facts;
  std::string told_since{};    // the resourceVersion since which no state of it was missed
  Mono frozen_since{};         // when it was first seen to report so
  bool freeze_seen = false;    // it reported thawed before, so that it froze about then
  std::optional<Mono> thawed;  // a session of ours has thawed it, then or later
  // KubeVirt asks a guest's agent whether it is frozen. One that is paused, or whose agent is gone, cannot say so.
  std::optional<Mono> mute_since;
  std::optional<Mono> speaks_since;  // again
  Millis mute{0};                    // so long before `frozen_since` it may have been frozen unseen
};

// Not thread-safe.
class Guests {
 public:
  // Whether it is another VMI than before.
  bool apply(const VmiFacts& facts, Mono now);
  // A snapshot in progress, or its end.
  void apply(const VmFacts& facts, Mono now);
  // Nothing happens when the VMI is another one by now.
  bool remove(const VmiFacts& facts);
  void remove_vmi(const std::string& guest) { vmis_.erase(guest); }
  void remove_vm(const std::string& guest) { vms_.erase(guest); }
  // Three who held it. As the status is polled, what it reports at their end may be of before, and counts from then on.
  // A session of ours, whose thaw began at `thawed`.
  void held_by_us(const std::string& guest, Mono thawed, Mono now);
  // A snapshot or backup of KubeVirt's own, whose end thaws it.
  void held_by_kubevirt(const std::string& guest, Mono now);
  // A session that has not thawed it, as far as we know. It may have been frozen all the while.
  void held_by_unknown(const std::string& guest, Mono now);

  [[nodiscard]] const VmiRecord* vmi(const std::string& guest) const { return vmis_.find(guest); }
  [[nodiscard]] std::size_t vmis() const { return vmis_.size(); }
  [[nodiscard]] bool snapshot_in_progress(const std::string& guest) const { return vms_.contains(guest); }

  template <class Visitor>
  void for_each_vmi(const Visitor& visit) const {
    vmis_.for_each(visit);
  }

  [[nodiscard]] Listed& listed_vmis() { return vmis_; }
  [[nodiscard]] Listed& listed_vms() { return vms_; }

 private:
  Table<VmiRecord> vmis_;  // by guest
  Table<VmFacts> vms_;     // by guest: with a snapshot of KubeVirt's own
};

}  // namespace snapfreeze::sweeper
