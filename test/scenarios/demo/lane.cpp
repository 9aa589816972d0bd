#include "test/scenarios/demo/lane.h"

#include "test/scenarios/runner/observe.h"

namespace demo {
namespace {

using nlohmann::json;

// Whoever called, in one word: "webhook-1" and "sweeper-0" are "webhook" and "sweeper".
std::string who(const json& name) {
  return runner::kind_of_caller(name.get<std::string>());
}

}  // namespace

Lane lane_of(const std::string& title, const std::string& vm, const json& guests, const json& timeline, double now_ms) {
  Lane lane;
  lane.title = title;
  lane.vm = vm;
  const json& intervals = guests.at(vm).at("intervals");
  const double start = intervals.empty() ? now_ms : intervals.front().at("from_ms").get<double>();
  lane.now = now_ms - start;
  for (const json& one : intervals) {
    FrozenSpan frozen{one.at("from_ms").get<double>() - start, std::nullopt, who(one.at("frozen_by")),
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

}  // namespace demo
