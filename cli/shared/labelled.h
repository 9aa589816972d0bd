// Snapshots that are somebody's backup by their label. The same value on a later day is another backup. Pure.
#pragma once

#include <span>
#include <vector>

#include "kube/views.h"

namespace snapfreeze::cli {

// Of snapshots of one namespace with one value of the label: which of them, by their index, are one backup. The oldest
// backup first. Snapshots are of different backups when they name different VMs, when they were frozen for in different
// sessions, or when no other snapshot was made for ten minutes, the longest T, between them.
[[nodiscard]] std::vector<std::vector<std::size_t>> backups_of_label(std::span<const kube::Metadata* const> snapshots);

}  // namespace snapfreeze::cli
