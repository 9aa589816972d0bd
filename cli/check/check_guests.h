// The findings about the VMs: whether their guests can be frozen, and which VMs share a disk. Pure.
#pragma once

#include <optional>
#include <vector>

#include "cli/check/check.h"

namespace snapfreeze::cli {

// Whether the guest agent accepts the command to freeze, by KubeVirt's guestosinfo; nullopt: it does not say.
[[nodiscard]] std::optional<bool> takes_freeze(const Json& guestosinfo);

// The running guests.
[[nodiscard]] std::vector<GuestFacts> guests_of(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_guests(const std::vector<GuestFacts>& guests);
// All findings about the VMs, including what could not be read, and which VMs share a disk.
[[nodiscard]] std::vector<Finding> check_vms(const CheckFacts& facts);

}  // namespace snapfreeze::cli
