#include "test/sim/moments.h"

#include <utility>

#include "test/sim/plan.h"

namespace sim {
namespace {

const char* name_of(Moment moment) {
  switch (moment) {
    case Moment::kCreate:
      return "new snapshot";
    case Moment::kCall:
      return "call";
    case Moment::kFreeze:
      return "freeze";
    case Moment::kCut:
      return "cut";
    case Moment::kThaw:
      return "thaw";
  }
  return "";
}

bool is(const cluster::TimelineEntry& entry, const Aim& aim) {
  const std::string guest = kNamespace + ("/" + aim.vm);
  switch (aim.moment) {
    case Moment::kCreate:
      return entry.kind == "create" && entry.object.find("-volume-" + aim.vm + "-disk-") != std::string::npos;
    case Moment::kCall:
      return entry.kind == "call" && entry.object == guest;
    case Moment::kFreeze:
      return entry.kind == "freeze" && entry.object == guest;
    case Moment::kCut:
      return entry.kind == "cut" && entry.detail == guest;
    case Moment::kThaw:
      return entry.kind == "thaw" && entry.object == guest;
  }
  return false;
}

}  // namespace

std::string text(const Aim& aim) {
  return "the next " + std::string(name_of(aim.moment)) + " of " + aim.vm +
         (aim.nth > 1 ? " but " + std::to_string(aim.nth - 1) : "");
}

Moments::Moments(cluster::Cluster& cluster)
    : runtime_(cluster.runtime()), cluster_(cluster), fiber_(runtime_.spawn("moments", [this] { run(); })) {
  cluster_.locked([this] { cluster_.truth().observe([this](const auto& entry) { note(entry); }); });
}

Moments::~Moments() {
  cluster_.locked([this] { cluster_.truth().observe({}); });
  runtime_.kill(fiber_);
  runtime_.join(fiber_);
}

void Moments::when(Aim aim, Millis after, std::function<void()> act) {
  const cluster::Lock lock = runtime_.lock();
  waiting_.push_back({std::move(aim), after, std::move(act)});
}

void Moments::note(const cluster::TimelineEntry& entry) {
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    if (!is(entry, one->aim) || --one->aim.nth > 0) {
      ++one;
      continue;
    }
    due_.emplace(runtime_.now() + one->after, std::move(one->act));
    one = waiting_.erase(one);
    runtime_.wake(changed_);
  }
}

void Moments::run() {
  cluster::Lock lock = runtime_.lock();
  while (true) {
    const cluster::Mono next = due_.empty() ? cluster::kNever : due_.begin()->first;
    if (runtime_.now() < next) {
      runtime_.wait_until(lock, changed_, next, [&] { return !due_.empty() && due_.begin()->first < next; });
      continue;
    }
    const auto node = due_.extract(due_.begin());
    acting_ = true;
    lock.unlock();
    node.mapped()();
    lock.lock();
    acting_ = false;
    runtime_.wake(changed_);
  }
}

void Moments::finish() {
  cluster::Lock lock = runtime_.lock();
  waiting_.clear();
  runtime_.wait_until(lock, changed_, cluster::kNever, [this] { return due_.empty() && !acting_; });
}

}  // namespace sim
