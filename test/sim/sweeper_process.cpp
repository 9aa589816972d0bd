#include "test/sim/sweeper_process.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "kube/watcher.h"
#include "sweeper/driver.h"
#include "sweeper/feed.h"

namespace sim {
namespace {

namespace kube = snapfreeze::kube;
namespace sweeper = snapfreeze::sweeper;
using sweeper::Kind;

constexpr Millis kLook{5};

}  // namespace

SweeperProcess::SweeperProcess(cluster::Cluster& cluster, const std::string& name, Record& record,
                               const SweeperOptions& options, int life)
    : Process(cluster, name, record, options.clock_offset),
      runtime_(cluster.runtime()),
      thaw_on_(options.what.thaw_on),
      identity_(name + "_" + std::to_string(life)),
      elector_(api, clock, kOwnNamespace, identity_),
      led_api_(api, elector_),
      led_sessions_(led_api_, kOwnNamespace),
      longhorn_(cluster, gate),
      seams_{led_api_,
             clock,
             server_time,
             led_sessions_,
             elector_,
             metrics,
             std::make_shared<sweeper::ServedVersions>(),
             options.asks_longhorn ? &longhorn_ : nullptr},
      mutex_(runtime_),
      sweeper_(seams_, {identity_, options.policy}, options.what),
      queue_(sweeper::Driver::Options{}.workers) {
  for (int i = 0; i < sweeper::kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    if (sweeper::is_watched(kind, thaw_on_)) watches_.push_back(fibers.spawn("watch", [this, kind] { watch(kind); }));
  }
  fibers.spawn("plan", [this] { plan(); });
  fibers.spawn("elect", [this] { elect(); });
}

// Blind it does not lead.
void SweeperProcess::elect() {
  {
    cluster::Lock lock = runtime_.lock();
    runtime_.wait_until(lock, synced_, cluster::kNever, [this] { return sweeper_.synced(); });
  }
  for (;;) {
    const Millis pause = elector_.step();
    notify(changed_);
    {
      cluster::Lock lock = runtime_.lock();
      if (runtime_.wait_until(lock, synced_, runtime_.now() + pause, [this] { return election_over_; })) return;
    }
    gate.step();
  }
}

void SweeperProcess::watch(Kind kind) {
  if (sweeper::watch_of(kind).waits) wait_for_head_start();
  sweeper::Feed feed(kind, thaw_on_, [this](const sweeper::Change& change) {
    {
      const std::lock_guard guard(mutex_);
      sweeper_.on_change(change);
    }
    notify(changed_);
    notify(synced_);
  });
  kube::Watcher watcher(sweeper::Feed::options(kind, kOwnNamespace), feed, [] { return 0.5; });
  kube::run_watch(api, clock, watcher);
}

void SweeperProcess::wait_for_head_start() {
  cluster::Lock lock = runtime_.lock();
  runtime_.wait_until(lock, synced_, runtime_.now() + sweeper::Driver::kHeadStart, [this] {
    const sweeper::World& world = sweeper_.world();
    return world.synced(Kind::kSession) && world.synced(Kind::kBackup) && world.synced(Kind::kVmi);
  });
}

void SweeperProcess::plan() {
  while (true) {
    gate.pass();
    snapfreeze::Mono next;
    {
      const std::lock_guard guard(mutex_);
      if (stopping_) return;
      for (sweeper::Job& job : sweeper_.take_due()) queue_.push(std::move(job));
      while (auto job = queue_.pop()) {
        ++working_;
        fibers.spawn("work", [this, job = std::move(*job)] { work(job); });
      }
      next = std::min(sweeper_.next_wake(), cluster::kNever);
    }
    cluster::Lock lock = runtime_.lock();
    runtime_.wait_until(lock, changed_, next, [this] { return news_; });
    news_ = false;
  }
}

void SweeperProcess::work(const sweeper::Job& job) {
  const sweeper::Outcome outcome = sweeper_.run(job);
  {
    const std::lock_guard guard(mutex_);
    queue_.done(job.lane());
    sweeper_.done(outcome);
    --working_;
  }
  notify(changed_);
}

void SweeperProcess::terminate() {
  fibers.spawn("terminate", [this] {
    stop_clock();
    longhorn_.stop();
    for (const cluster::FiberRef& watch : watches_) runtime_.kill(watch);
    wind_down();
    elector_.resign();
    while (working_ > 0) runtime_.sleep_for(kLook);
    {
      const cluster::Lock lock = runtime_.lock();
      election_over_ = true;
      runtime_.wake(synced_);
    }
    elector_.release();
    kill();
  });
}

bool SweeperProcess::drained() {
  const std::lock_guard guard(mutex_);
  return sweeper_.idle() && sweeper_.next_wake() > runtime_.now();
}

void SweeperProcess::wind_down() {
  {
    const std::lock_guard guard(mutex_);
    sweeper_.wind_down();
  }
  notify(changed_);
  const snapfreeze::Mono until = runtime_.now() + sweeper::Driver::kDrain;
  do runtime_.sleep_for(kLook);
  while (runtime_.now() < until && !drained());
  stopping_ = true;
  notify(changed_);
}

void SweeperProcess::notify(cluster::Signal& signal) {
  const cluster::Lock lock = runtime_.lock();
  news_ = true;
  runtime_.wake(signal);
}

}  // namespace sim
