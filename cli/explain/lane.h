// The course of one backup: when its guest was frozen, when each disk was cut, and its verdict. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace snapfreeze::cli {

// In milliseconds since the beginning of the lane.
struct FrozenSpan {
  double from = 0;
  std::optional<double> until;  // nullopt: still frozen
  std::string by, thawed_by;
};

struct Cut {
  double at = 0;
  std::string disk;
};

struct Lane {
  std::string title;
  std::string vm;  // "namespace/name"
  std::vector<FrozenSpan> frozen;
  std::vector<Cut> cuts;  // in their order
  std::string verdict;    // "" when there is none
  double now = 0;         // when this was read

  // The freeze that covers the first cut, or nullptr.
  [[nodiscard]] const FrozenSpan* freeze() const;
  // The length of that freeze; without one, the length of the longest freeze.
  [[nodiscard]] double frozen_for() const;
  // How many disks were cut during that freeze.
  [[nodiscard]] std::size_t covered() const;
};

// The events, one line each, for people.
[[nodiscard]] std::string to_text(const Lane& lane);

// All lanes on one scale, as one SVG picture. It is well-formed whatever their texts contain.
[[nodiscard]] std::string to_svg(const std::vector<Lane>& lanes);

}  // namespace snapfreeze::cli
