// Whether a guest can be frozen now. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "kube/views.h"

namespace snapfreeze::freeze {

// What is known of a VM. Either object may not exist.
struct Guest {
  std::optional<kube::VmiView> vmi;
  std::optional<kube::VmView> vm;
};

// Whether the annotation `skip` of a VM, a VMI or a backup opts it out.
[[nodiscard]] bool opted_out(const kube::Metadata& metadata);

// Whether a snapshot or backup of KubeVirt's own is under way, which freezes and thaws the guest itself.
[[nodiscard]] bool kubevirt_freezes(const kube::VmiView& vmi, const std::optional<kube::VmView>& vm);

// The first reason (freeze/reasons.h) not to freeze a guest that has a VMI and is not off; "" when it can be frozen.
// KubeVirt refuses to freeze a guest that is not Running or is migrating. On a paused guest the freeze would hang.
[[nodiscard]] std::string_view reason_not_to_freeze(const kube::VmiView& vmi, const std::optional<kube::VmView>& vm);

}  // namespace snapfreeze::freeze
