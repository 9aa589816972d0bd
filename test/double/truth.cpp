#include "test/double/truth.h"

#include <algorithm>

namespace cluster {
namespace {

const std::vector<FrozenInterval> kNone;

Millis whole_millis(Mono::duration duration) {
  return std::chrono::duration_cast<Millis>(duration);
}

}  // namespace

void Truth::note(std::string kind, std::string object, std::string detail) {
  timeline_.push_back({runtime_.now(), std::move(kind), std::move(object), std::move(detail)});
  if (observer_) observer_(timeline_.back());
}

void Truth::froze(const std::string& vm, const std::string& by, bool whole) {
  if (frozen_now(vm)) return;
  frozen_[vm].push_back({runtime_.now(), std::nullopt, by, "", whole});
  note("freeze", vm, whole ? by : by + " (half-way)");
}

void Truth::thawed(const std::string& vm, const std::string& by) {
  if (!frozen_now(vm)) return;
  frozen_[vm].back().until = runtime_.now();
  frozen_[vm].back().thawed_by = by;
  note("thaw", vm, by);
}

void Truth::powered(const std::string& vm, bool on) {
  if (on) {
    power_[vm].push_back({runtime_.now(), std::nullopt});
  } else if (!power_[vm].empty()) {
    power_[vm].back().until = runtime_.now();
  }
  note("power", vm, on ? "on" : "off");
}

void Truth::held(const std::string& claim, const std::string& by, bool on) {
  note(on ? "hold" : "let-go", claim, by);
}

void Truth::cut(Cut cut) {
  note("cut", cut.ns + "/" + cut.snapshot, cut.vm);
  cuts_.push_back(std::move(cut));
}

bool Truth::frozen_now(const std::string& vm) const {
  const auto& all = intervals(vm);
  return !all.empty() && !all.back().until;
}

const std::vector<FrozenInterval>& Truth::intervals(const std::string& vm) const {
  const auto found = frozen_.find(vm);
  return found == frozen_.end() ? kNone : found->second;
}

int Truth::thaws(const std::string& vm) const {
  return freezes(vm) - (frozen_now(vm) ? 1 : 0);
}

Millis Truth::longest_frozen(const std::string& vm) const {
  Mono::duration longest{0};
  for (const FrozenInterval& interval : intervals(vm)) {
    longest = std::max(longest, interval.until.value_or(runtime_.now()) - interval.from);
  }
  return whole_millis(longest);
}

Millis Truth::total_frozen(const std::string& vm) const {
  Mono::duration total{0};
  for (const FrozenInterval& interval : intervals(vm)) {
    total += interval.until.value_or(runtime_.now()) - interval.from;
  }
  return whole_millis(total);
}

std::vector<Cut> Truth::cuts_of(const std::string& ns, const std::string& backup) const {
  std::vector<Cut> found;
  std::copy_if(cuts_.begin(), cuts_.end(), std::back_inserter(found),
               [&](const Cut& cut) { return cut.ns == ns && cut.backup == backup; });
  return found;
}

Consistency Truth::consistency(const std::string& ns, const std::string& backup, int disks) const {
  Consistency result;
  const std::vector<Cut> cuts = cuts_of(ns, backup);
  result.cuts = static_cast<int>(cuts.size());
  if (cuts.empty()) return result;
  const auto [first, last] =
      std::minmax_element(cuts.begin(), cuts.end(), [](const Cut& a, const Cut& b) { return a.at < b.at; });
  result.cut_span = whole_millis(last->at - first->at);
  for (const FrozenInterval& interval : intervals(first->vm)) {
    const bool covers = interval.from <= first->at && (!interval.until || *interval.until > last->at);
    if (!covers) continue;
    result.filesystem = interval.whole && result.cuts == disks;
    if (interval.until) result.last_cut_to_thaw = whole_millis(*interval.until - last->at);
  }
  const auto power = power_.find(first->vm);
  const bool powered =
      power != power_.end() &&
      std::any_of(power->second.begin(), power->second.end(), [&, f = first, l = last](const auto& on) {
        return on.from <= l->at && (!on.until || *on.until >= f->at);
      });
  result.offline = !powered && result.cuts == disks;
  return result;
}

double Truth::since_start(Mono at) const {
  return std::chrono::duration<double, std::milli>(at - start_).count();
}

Json Truth::timeline_json() const {
  Json entries = Json::array();
  for (const TimelineEntry& entry : timeline_) {
    entries.push_back(
        {{"ms", since_start(entry.at)}, {"kind", entry.kind}, {"object", entry.object}, {"detail", entry.detail}});
  }
  return entries;
}

Json Truth::guests_json() const {
  Json guests = Json::object();
  for (const auto& [vm, power] : power_) {
    Json all = Json::array();
    for (const FrozenInterval& interval : intervals(vm)) {
      all.push_back({{"from_ms", since_start(interval.from)},
                     {"until_ms", interval.until ? Json(since_start(*interval.until)) : Json()},
                     {"frozen_by", interval.frozen_by},
                     {"thawed_by", interval.thawed_by},
                     {"whole", interval.whole}});
    }
    guests[vm] = {{"frozen_now", frozen_now(vm)},
                  {"freezes", freezes(vm)},
                  {"thaws", thaws(vm)},
                  {"longest_frozen_ms", longest_frozen(vm).count()},
                  {"total_frozen_ms", total_frozen(vm).count()},
                  {"intervals", all}};
  }
  return guests;
}

Json Truth::cuts_json() const {
  Json all = Json::array();
  for (const Cut& cut : cuts_) {
    all.push_back({{"ms", since_start(cut.at)},
                   {"ns", cut.ns},
                   {"snapshot", cut.snapshot},
                   {"uid", cut.uid},
                   {"pvc", cut.pvc},
                   {"vm", cut.vm},
                   {"backup", cut.backup}});
  }
  return all;
}

}  // namespace cluster
