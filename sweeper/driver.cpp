#include "sweeper/driver.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/thread.h"
#include "sweeper/feed.h"

namespace snapfreeze::sweeper {

Driver::Driver(Sweeper& sweeper, Elector& elector, kube::KubeApi& api, Clock& clock, Metrics& metrics, Options options)
    : sweeper_(sweeper),
      elector_(elector),
      api_(api),
      clock_(clock),
      metrics_(metrics),
      options_(std::move(options)),
      queue_(std::max(options_.workers, 2)) {}

Driver::~Driver() {
  stop();
}

void Driver::start() {
  for (int i = 0; i < kKinds; ++i) {
    const Kind kind = static_cast<Kind>(i);
    if (!is_watched(kind, options_.thaw_on)) continue;
    threads_.push_back(
        start_thread("watch-" + std::string(watch_of(kind).resource->plural), [this, kind] { watch(kind); }));
  }
  threads_.push_back(start_thread("plan", [this] { plan(); }));
  elector_thread_ = start_thread("elect", [this] { elect(); });
}

bool Driver::synced() const {
  const std::lock_guard lock(mutex_);
  return sweeper_.synced();
}

void Driver::watch(Kind kind) {
  if (watch_of(kind).waits) {
    std::unique_lock lock(mutex_);
    const World& world = sweeper_.world();
    synced_.wait_for(lock, kHeadStart, [&] {
      return stopping_ || (world.synced(Kind::kSession) && world.synced(Kind::kBackup) && world.synced(Kind::kVmi));
    });
  }
  Feed feed(kind, options_.thaw_on, [this](const Change& change) {
    {
      const std::lock_guard lock(mutex_);
      sweeper_.on_change(change);
    }
    plan_.notify_one();
    if (change.what == Change::What::kRelistDone || change.what == Change::What::kNotServed) synced_.notify_all();
  });
  kube::Watcher watcher(Feed::options(kind, options_.own_namespace), feed);
  kube::run_watch(api_, clock_, watcher);
}

void Driver::plan() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    for (Job& job : sweeper_.take_due()) queue_.push(std::move(job));
    start_workers();
    drained_.notify_all();
    std::vector<std::jthread> finished = std::exchange(finished_, {});
    if (!finished.empty()) {
      lock.unlock();
      for (std::jthread& thread : finished) thread.join();
      lock.lock();
      continue;
    }
    plan_.wait_until(lock, sweeper_.next_wake());
  }
}

// Whatever may start now finds a thread.
void Driver::start_workers() {
  const int startable = queue_.startable();
  if (startable > 0) work_.notify_all();
  for (int missing = startable - idle_workers_; missing > 0; --missing) {
    const int id = next_worker_++;
    workers_.emplace(id, start_thread("work-" + std::to_string(id), [this, id] { work(id); }));
  }
}

void Driver::work(int id) {
  std::unique_lock lock(mutex_);
  for (;;) {
    std::optional<Job> job;
    ++idle_workers_;
    work_.wait_for(lock, kIdleWorker, [&] { return stopping_ || (job = queue_.pop()); });
    --idle_workers_;
    const bool surplus = static_cast<int>(workers_.size()) > options_.workers;
    if (!job && !stopping_ && !surplus) continue;
    if (!job) break;
    lock.unlock();
    const Outcome outcome = sweeper_.run(*job);
    lock.lock();
    queue_.done(job->lane());
    sweeper_.done(outcome);
    plan_.notify_one();
  }
  const auto self = workers_.find(id);
  finished_.push_back(std::move(self->second));
  workers_.erase(self);
  worker_left_.notify_all();
}

void Driver::elect() {
  {
    // While nobody leads no guest is frozen: better than one that leads and is blind.
    std::unique_lock lock(mutex_);
    synced_.wait(lock, [this] { return election_over_ || sweeper_.synced(); });
  }
  for (;;) {
    const Millis pause = elector_.step();
    metrics_.leading(elector_.leads_for(Millis(0)));
    std::unique_lock lock(mutex_);
    plan_.notify_one();
    if (election_.wait_for(lock, pause, [this] { return election_over_; })) return;
  }
}

void Driver::drain() {
  std::unique_lock lock(mutex_);
  sweeper_.wind_down();
  plan_.notify_one();
  const auto over = [this] { return sweeper_.idle() && sweeper_.next_wake() > clock_.monotonic(); };
  drained_.wait_for(lock, kDrain, over);
  stopping_ = true;
}

void Driver::join_workers() {
  std::unique_lock lock(mutex_);
  while (!workers_.empty() || !finished_.empty()) {
    std::vector<std::jthread> finished = std::exchange(finished_, {});
    lock.unlock();
    for (std::jthread& thread : finished) thread.join();
    lock.lock();
    worker_left_.wait(lock, [this] { return workers_.empty() || !finished_.empty(); });
  }
}

void Driver::stop() {
  if (threads_.empty()) return;
  drain();
  elector_.resign();
  plan_.notify_all();
  work_.notify_all();
  synced_.notify_all();
  for (std::jthread& thread : threads_) thread.join();
  threads_.clear();
  join_workers();
  {
    const std::lock_guard lock(mutex_);
    election_over_ = true;
  }
  election_.notify_all();
  synced_.notify_all();
  elector_thread_.join();
  elector_.release();
  metrics_.leading(false);
}

}  // namespace snapfreeze::sweeper
