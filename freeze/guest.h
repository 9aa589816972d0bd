// Whether a guest can be frozen now. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "kube/views.h"

namespace snapfreeze::freeze {

// What is known of a VM: either may not exist.
struct Guest {
  std::optional<kube::VmiView> vmi;
  std::optional<kube::VmView> vm;
};

// Opted out by annotation on the VM or the VMI (the backup's is asked with opted_out).
[[nodiscard]] bool opted_out(const kube::Metadata& metadata);

// A snapshot or backup of KubeVirt's own is under way, which freezes and thaws by itself.
[[nodiscard]] bool kubevirt_freezes(const kube::VmiView& vmi, const std::optional<kube::VmView>& vm);

// The first reason (freeze/names.h) not to freeze a guest that has a VMI and is not off; "" when it can be frozen.
// KubeVirt refuses a freeze of a guest that is not Running or is migrating; a paused one would hang in it.
[[nodiscard]] std::string_view reason_not_to_freeze(const kube::VmiView& vmi, const std::optional<kube::VmView>& vm);

}  // namespace snapfreeze::freeze
