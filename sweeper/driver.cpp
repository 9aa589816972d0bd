#include "sweeper/driver.h"

#include <pthread.h>

#include <algorithm>

#include "sweeper/feed.h"

namespace snapfreeze::sweeper {
namespace {

void name_thread(const std::string& name) {
  constexpr std::size_t kLimit = 15;  // Linux
  (void)pthread_setname_np(pthread_self(), name.substr(0, kLimit).c_str());
}

}  // namespace

Driver::Driver(Sweeper& sweeper, Elector& elector, kube::KubeApi& api, Clock& clock, Metrics& metrics, Options options)
    : sweeper_(sweeper), elector_(elector), api_(api), clock_(clock), metrics_(metrics), options_(std::move(options)) {}

Driver::~Driver() {
  stop();
}

void Driver::start() {
  for (int i = 0; i < kKinds; ++i) {
    const Kind kind = static_cast<Kind>(i);
    if (!is_watched(kind, options_.thaw_on)) continue;
    threads_.emplace_back([this, kind] {
      name_thread("watch-" + std::string(resource_of(kind).plural));
      watch(kind);
    });
  }
  spawn("plan", &Driver::plan);
  for (int i = 0; i < std::max(options_.workers, 2); ++i) spawn("work-" + std::to_string(i), &Driver::work);
  elector_thread_ = std::thread([this] {
    name_thread("elect");
    elect();
  });
}

void Driver::spawn(std::string name, void (Driver::*body)()) {
  threads_.emplace_back([this, name = std::move(name), body] {
    name_thread(name);
    (this->*body)();
  });
}

bool Driver::synced() const {
  const std::lock_guard lock(mutex_);
  return sweeper_.synced();
}

void Driver::watch(Kind kind) {
  const bool waits = kind == Kind::kSnapshot || kind == Kind::kContent || kind == Kind::kLonghornSnapshot;
  if (waits) {
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
    for (Job& job : sweeper_.take_due()) (job.urgent() ? urgent_ : others_).push_back(std::move(job));
    if (!urgent_.empty() || !others_.empty()) work_.notify_all();
    drained_.notify_all();
    plan_.wait_until(lock, sweeper_.next_wake());
  }
}

bool Driver::next_job(Job& job) {
  const bool room = others_running_ < std::max(options_.workers, 2) / 2;
  std::deque<Job>& queue = urgent_.empty() && room ? others_ : urgent_;
  if (queue.empty()) return false;
  job = std::move(queue.front());
  queue.pop_front();
  return true;
}

void Driver::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    Job job;
    bool found = false;
    work_.wait(lock, [&] { return stopping_ || (found = next_job(job)); });
    if (!found) return;
    if (!job.urgent()) ++others_running_;
    lock.unlock();
    const Outcome outcome = sweeper_.run(job);
    lock.lock();
    if (!job.urgent()) --others_running_;
    sweeper_.done(outcome);
    plan_.notify_one();
    if (!others_.empty()) work_.notify_one();
  }
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

void Driver::stop() {
  if (threads_.empty()) return;
  drain();
  elector_.resign();
  plan_.notify_all();
  work_.notify_all();
  synced_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
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
