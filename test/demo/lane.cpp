#include "test/demo/lane.h"

#include <fmt/format.h>

#include <algorithm>

#include "test/runner/observe.h"

namespace demo {
namespace {

using nlohmann::json;

// Whoever called, in one word: "webhook-1" and "sweeper-0" are "webhook" and "sweeper".
std::string who(const json& name) {
  return runner::kind_of_caller(name.get<std::string>());
}

struct Line {
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

const Frozen* Lane::freeze() const {
  if (cuts.empty()) return nullptr;
  const auto covers = [&](const Frozen& one) {
    return one.from <= cuts.front().at && (!one.until || *one.until > cuts.front().at);
  };
  const auto found = std::find_if(frozen.begin(), frozen.end(), covers);
  return found == frozen.end() ? nullptr : &*found;
}

double Lane::frozen_for() const {
  const auto length = [this](const Frozen& one) { return one.until.value_or(now) - one.from; };
  if (const Frozen* one = freeze()) return length(*one);
  double longest = 0;
  for (const Frozen& one : frozen) longest = std::max(longest, length(one));
  return longest;
}

std::size_t Lane::covered() const {
  const Frozen* one = freeze();
  if (one == nullptr) return 0;
  return static_cast<std::size_t>(std::count_if(cuts.begin(), cuts.end(), [&](const Cut& cut) {
    return one->from <= cut.at && (!one->until || cut.at < *one->until);
  }));
}

Lane lane_of(const std::string& title, const std::string& vm, const json& guests, const json& timeline, double now_ms) {
  Lane lane;
  lane.title = title;
  lane.vm = vm;
  const json& intervals = guests.at(vm).at("intervals");
  const double start = intervals.empty() ? now_ms : intervals.front().at("from_ms").get<double>();
  lane.now = now_ms - start;
  for (const json& one : intervals) {
    Frozen frozen{one.at("from_ms").get<double>() - start, std::nullopt, who(one.at("frozen_by")),
                  who(one.at("thawed_by"))};
    if (!one.at("until_ms").is_null()) frozen.until = one.at("until_ms").get<double>() - start;
    lane.frozen.push_back(frozen);
  }
  for (const json& entry : timeline) {
    if (entry.at("kind") != "cut" || entry.at("detail") != vm) continue;
    const auto snapshot = entry.at("object").get<std::string>();
    lane.cuts.push_back({entry.at("ms").get<double>() - start, "disk " + snapshot.substr(snapshot.rfind('-') + 1)});
  }
  return lane;
}

std::string to_text(const Lane& lane) {
  std::vector<Line> lines;
  for (const Frozen& one : lane.frozen) {
    lines.push_back({one.from, "frozen by " + one.by});
    if (one.until) lines.push_back({*one.until, "thawed by " + one.thawed_by});
  }
  for (const Cut& cut : lane.cuts) lines.push_back({cut.at, cut.disk + " cut"});
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
  std::string text = lane.title + "\n";
  for (const Line& line : lines) text += fmt::format("  {:7.3f} s  {}\n", line.at / 1000, line.text);
  return text + verdict_line(lane);
}

}  // namespace demo
