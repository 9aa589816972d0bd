// One backup as it went: when its guest was frozen, when each disk was cut, what it was said to be worth. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace snapfreeze::cli {

// Milliseconds since the lane's begin.
struct FrozenSpan {
  double from = 0;
  std::optional<double> until;  // nullopt: frozen still
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
  std::string verdict;    // "" when nobody said
  double now = 0;         // when it was looked at

  // The freeze that covers the first cut, or nullptr.
  [[nodiscard]] const FrozenSpan* freeze() const;
  // That freeze's length; where there is none, the longest one's.
  [[nodiscard]] double frozen_for() const;
  // How many disks were cut while that freeze lasted.
  [[nodiscard]] std::size_t covered() const;
};

// What happened, one line each, for a person.
[[nodiscard]] std::string to_text(const Lane& lane);

// All lanes on one scale, as one SVG picture. Whatever stands in their texts, it is well-formed.
[[nodiscard]] std::string to_svg(const std::vector<Lane>& lanes);

}  // namespace snapfreeze::cli
