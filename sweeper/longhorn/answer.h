// What Longhorn says about one snapshot: the answer to `POST /v1/volumes/<volume>?action=snapshotGet`. Nothing vouches
// for it. Anyone may answer at that address, so only a clear "cut" counts as one. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "sweeper/longhorn/api.h"

namespace snapfreeze::sweeper {

// The name that Longhorn's CSI driver gives to the snapshot of a VolumeSnapshot.
[[nodiscard]] std::string longhorn_name(std::string_view snapshot_uid);

// Longer answers are not read. A snapshot with as many children as Longhorn allows takes a tenth of it.
inline constexpr std::size_t kLongestAnswer{256 * 1024};

struct LiveAnswer {
  enum class Says {
    kCut,      // that very snapshot is there, made by a user and not removed
    kNotYet,   // Longhorn's own error: there is no such snapshot
    kNothing,  // anything else
  };
  Says says = Says::kNothing;
  Wall
      created{};  // of kCut: by the clock of the engine's node, whole seconds, truncated; taken under the engine's lock
};

[[nodiscard]] LiveAnswer read_answer(const HttpAnswer& answer, std::string_view snapshot_uid);

}  // namespace snapfreeze::sweeper
