// One backup of the demo as it went: when its guest was frozen, when each disk was cut, what it was said to be worth.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace demo {

// Milliseconds since Harvester's first freeze of that VM.
struct Frozen {
  double from = 0;
  std::optional<double> until;  // nullopt: frozen still when the demo ended
  std::string by, thawed_by;
};

struct Cut {
  double at = 0;
  std::string disk;
};

struct Lane {
  std::string title;
  std::string vm;  // "namespace/name"
  std::vector<Frozen> frozen;
  std::vector<Cut> cuts;  // in their order
  std::string verdict;    // "" when nobody said
  double now = 0;         // when the demo ended

  // The freeze that covers the first cut, or nullptr.
  [[nodiscard]] const Frozen* freeze() const;
  // That freeze's length; where there is none, the longest one's.
  [[nodiscard]] double frozen_for() const;
  // How many disks were cut while that freeze lasted.
  [[nodiscard]] std::size_t covered() const;
};

// From the double's truth: /sandbox/guests and /sandbox/timeline.
Lane lane_of(const std::string& title, const std::string& vm, const nlohmann::json& guests,
             const nlohmann::json& timeline, double now_ms);

// What happened, one line each, for a person.
std::string to_text(const Lane& lane);

// All lanes on one scale, as one SVG picture.
std::string to_svg(const std::vector<Lane>& lanes);

}  // namespace demo
