#include "test/sim/sweeper_process.h"

#include "kube/watcher.h"
#include "sweeper/feed.h"

namespace runner {
namespace {

namespace kube = snapfreeze::kube;
namespace sweeper = snapfreeze::sweeper;
using snapfreeze::Mono;
using sweeper::Kind;

constexpr int kWorkers = 8;           // as the driver has by default
constexpr Millis kHeadStart{10'000};  // likewise

bool waits_for_others(Kind kind) {
  return kind == Kind::kSnapshot || kind == Kind::kContent || kind == Kind::kLonghornSnapshot;
}

}  // namespace

SimSweeper::SimSweeper(cluster::Cluster& cluster, const std::string& name, int life, const Product& product)
    : SimProcess(cluster, name, product.sweeper_clock),
      runtime_(cluster.runtime()),
      thaw_on_(product.thaw_on_ready ? sweeper::ThawOn::kReady : sweeper::ThawOn::kCaptured),
      identity_(name + "_" + std::to_string(life)),
      elector_(api_, clock_, kOwnNamespace, identity_),
      seams_{api_, clock_, server_time_, sessions_, elector_, metrics_},
      sweeper_(seams_, {identity_, {}}, {thaw_on_, true}),
      queue_(kWorkers) {
  process_.spawn("elector", [this] { elect(); });
  for (int i = 0; i < sweeper::kKinds; ++i) {
    const auto kind = static_cast<sweeper::Kind>(i);
    if (sweeper::is_watched(kind, thaw_on_)) process_.spawn("watch", [this, kind] { watch(kind); });
  }
  process_.spawn("loop", [this] { loop(); });
}

// Blind it does not lead, as the driver.
void SimSweeper::elect() {
  wait_for(kOnceSynced, cluster::kNever);
  Millis wait{0};
  do {
    wait = elector_.step();
    post(Woken{});
  } while (clock_.wait(wait));
}

void SimSweeper::watch(Kind kind) {
  if (waits_for_others(kind)) wait_for(kOnceHeadStartIsOver, runtime_.now() + kHeadStart);
  sweeper::Feed feed(kind, thaw_on_, [this](const sweeper::Change& change) { post(change); });
  kube::Watcher watcher(sweeper::Feed::options(kind, kOwnNamespace), feed, [] { return 0.5; });
  kube::run_watch(api_, clock_, watcher);
}

void SimSweeper::wait_for(Stage stage, Mono until) {
  cluster::Lock lock = runtime_.lock();
  runtime_.wait_until(lock, reached_, until, [&] { return stage_ >= stage; });
}

void SimSweeper::note_stage() {
  const sweeper::World& world = sweeper_.world();
  const bool others = world.synced(Kind::kSession) && world.synced(Kind::kBackup) && world.synced(Kind::kVmi);
  const cluster::Lock lock = runtime_.lock();
  stage_ = sweeper_.synced() ? kOnceSynced : others ? kOnceHeadStartIsOver : kAtOnce;
  runtime_.wake(reached_);
}

void SimSweeper::loop() {
  while (true) {
    for (const Message& message : take_messages()) {
      if (const auto* change = std::get_if<sweeper::Change>(&message)) sweeper_.on_change(*change);
      const auto* done = std::get_if<Done>(&message);
      if (done == nullptr) continue;
      queue_.done(done->lane);
      sweeper_.done(done->outcome);
    }
    note_stage();
    for (sweeper::Job& job : sweeper_.take_due()) queue_.push(std::move(job));
    while (auto job = queue_.pop()) {
      process_.spawn("job", [this, job = std::move(*job)] { post(Done{job.lane(), sweeper_.run(job)}); });
    }
  }
}

void SimSweeper::post(Message message) {
  const cluster::Lock lock = runtime_.lock();
  inbox_.push_back(std::move(message));
  runtime_.wake(posted_);
}

std::deque<SimSweeper::Message> SimSweeper::take_messages() {
  gate_.pass();
  cluster::Lock lock = runtime_.lock();
  const Mono wake = std::min(sweeper_.next_wake(), cluster::kNever);
  runtime_.wait_until(lock, posted_, wake, [this] { return !inbox_.empty(); });
  return std::exchange(inbox_, {});
}

}  // namespace runner
