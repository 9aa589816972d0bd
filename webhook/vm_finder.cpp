#include "webhook/vm_finder.h"

#include <algorithm>
#include <utility>

#include "kube/list.h"
#include "kube/paths.h"
#include "kube/views.h"
#include "webhook/reads.h"
#include "webhook/waits.h"

namespace snapfreeze::webhook {

// One caller. What is known of the namespace is kept as long as there is a caller.
class VmFinder::Asking {
 public:
  Asking(VmFinder& finder, const std::string& ns) : finder_(finder), namespace_(ns) {
    const std::lock_guard lock(finder_.mutex_);
    ++finder_.namespaces_[namespace_].asking;
  }
  ~Asking() {
    const std::lock_guard lock(finder_.mutex_);
    Namespace& entry = finder_.namespaces_[namespace_];
    if (is_listing_) entry.listing = false;
    if (--entry.asking == 0) finder_.namespaces_.erase(namespace_);
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  // The result of a list that began at `since` or later.
  std::optional<Found> answer(const std::string& disk, Mono since) const {
    const std::lock_guard lock(finder_.mutex_);
    const Namespace& entry = finder_.namespaces_[namespace_];
    if (entry.begun < since) return std::nullopt;
    return look_up(entry.guests, disk);
  }

  bool may_list() {
    const std::lock_guard lock(finder_.mutex_);
    is_listing_ = !std::exchange(finder_.namespaces_[namespace_].listing, true);
    return is_listing_;
  }

  void listed(Mono begun, std::vector<Guest> guests) {
    const std::lock_guard lock(finder_.mutex_);
    Namespace& entry = finder_.namespaces_[namespace_];
    entry.begun = begun;
    entry.guests = std::move(guests);
    entry.listing = is_listing_ = false;
  }

  void done() {
    const std::lock_guard lock(finder_.mutex_);
    finder_.namespaces_[namespace_].listing = false;
    is_listing_ = false;
  }

 private:
  VmFinder& finder_;
  const std::string namespace_;
  bool is_listing_ = false;
};

Result<Found> VmFinder::find(const std::string& ns, const std::string& disk, const Budget& budget) {
  const Mono asked = clock_.monotonic();
  Asking asking(*this, ns);
  for (Wait wait(waits_);;) {
    if (auto found = asking.answer(disk, asked)) return *found;
    if (asking.may_list()) {
      const Slots::Taken slot(lists_);
      if (slot) {
        const Mono begun = clock_.monotonic();
        auto guests = list(ns, budget);
        if (!guests) return guests.error();
        asking.listed(begun, std::move(*guests));
        continue;
      }
      asking.done();
    }
    if (!wait.next(clock_, budget)) return Found{Found::What::kBusy, ""};
  }
}

// Guests that are off have nothing to freeze, and write nothing. A guest that starts, or whose state is unknown, may
// write.
Found VmFinder::look_up(const std::vector<Guest>& guests, const std::string& disk) {
  Found found;
  for (const Guest& guest : guests) {
    if (std::ranges::find(guest.claims, disk) == guest.claims.end()) continue;
    if (found.what == Found::What::kVm) return {Found::What::kShared, ""};
    found = {Found::What::kVm, guest.vm};
  }
  return found;
}

Result<std::vector<VmFinder::Guest>> VmFinder::list(const std::string& ns, const Budget& budget) {
  std::vector<Guest> guests;
  kube::PagedList pages(
      kube::collection_path(kube::kVirtualMachineInstances, ns),
      [&](const Json& item) {
        auto vmi = kube::VmiView::from(item);
        if (!vmi.off()) guests.push_back({std::move(vmi.metadata.name), std::move(vmi.claims)});
      },
      [&] { guests.clear(); });
  if (const auto listed = list_within(api_, pages, budget); !listed) return listed.error();
  return guests;
}

}  // namespace snapfreeze::webhook
