#include "cli/explain/lane.h"

#include <fmt/format.h>

#include <algorithm>

namespace snapfreeze::cli {
namespace {

struct LaneLine {
  double at = 0;
  std::string text;
};

std::string verdict_line(const Lane& lane) {
  const bool open = lane.freeze() != nullptr && !lane.freeze()->until;
  const std::string frozen =
      fmt::format("frozen for {:.2f} s{}", lane.frozen_for() / 1000, open ? " and still is" : "");
  const std::string covered = fmt::format("{} of {} disks cut while frozen", lane.covered(), lane.cuts.size());
  const std::string verdict = lane.verdict.empty() ? "nobody says what it is worth" : "verdict: " + lane.verdict;
  return fmt::format("   => {}; {}; {}\n", frozen, covered, verdict);
}

}  // namespace

const FrozenSpan* Lane::freeze() const {
  if (cuts.empty()) return nullptr;
  const auto covers = [&](const FrozenSpan& one) {
    return one.from <= cuts.front().at && (!one.until || *one.until > cuts.front().at);
  };
  const auto found = std::find_if(frozen.begin(), frozen.end(), covers);
  return found == frozen.end() ? nullptr : &*found;
}

double Lane::frozen_for() const {
  const auto length = [this](const FrozenSpan& one) { return one.until.value_or(now) - one.from; };
  if (const FrozenSpan* one = freeze()) return length(*one);
  double longest = 0;
  for (const FrozenSpan& one : frozen) longest = std::max(longest, length(one));
  return longest;
}

std::size_t Lane::covered() const {
  const FrozenSpan* one = freeze();
  if (one == nullptr) return 0;
  return static_cast<std::size_t>(std::count_if(cuts.begin(), cuts.end(), [&](const Cut& cut) {
    return one->from <= cut.at && (!one->until || cut.at < *one->until);
  }));
}

std::string to_text(const Lane& lane) {
  std::vector<LaneLine> lines;
  for (const FrozenSpan& one : lane.frozen) {
    lines.push_back({one.from, "frozen by " + one.by});
    if (one.until) lines.push_back({*one.until, "thawed by " + one.thawed_by});
  }
  for (const Cut& cut : lane.cuts) lines.push_back({cut.at, cut.disk + " cut"});
  std::stable_sort(lines.begin(), lines.end(), [](const LaneLine& a, const LaneLine& b) { return a.at < b.at; });
  std::string text = lane.title + "\n";
  for (const LaneLine& line : lines) text += fmt::format("  {:7.3f} s  {}\n", line.at / 1000, line.text);
  return text + verdict_line(lane);
}

}  // namespace snapfreeze::cli
