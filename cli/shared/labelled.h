// Groups labelled snapshots into backups. The same value on a later day is another backup. Pure.
#pragma once

#include <span>
#include <vector>

#include "kube/views.h"

namespace snapfreeze::cli {

// Takes the snapshots of one namespace with one value of the label. Returns the backups, the oldest first, each as the
// indices of its snapshots. Snapshots are of different backups if they name different VMs, if they belong to different
// sessions, or if no other snapshot was made between them for ten minutes, the longest T.
[[nodiscard]] std::vector<std::vector<std::size_t>> backups_of_label(std::span<const kube::Metadata* const> snapshots);

}  // namespace snapfreeze::cli
