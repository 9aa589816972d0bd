#include "test/runner/sim_sweeper.h"

#include <functional>

#include "kube/watcher.h"

namespace runner {
namespace {

namespace kube = snapfreeze::kube;
namespace sweeper = snapfreeze::sweeper;
using snapfreeze::Mono;

// Turns what a watcher learns into changes of the sweeper's world.
class ChangeSink : public kube::WatchSink {
 public:
  using Post = std::function<void(sweeper::Change)>;
  ChangeSink(sweeper::Kind kind, sweeper::ThawOn thaw_on, Post post)
      : kind_(kind), thaw_on_(thaw_on), post_(std::move(post)) {}

  void applied(const snapfreeze::Json& object) override { pass(sweeper::Change::What::kApplied, object); }
  void deleted(const snapfreeze::Json& object) override { pass(sweeper::Change::What::kDeleted, object); }
  void relist_started() override { post_({kind_, sweeper::Change::What::kRelistStarted, {}}); }
  void relist_done() override { post_({kind_, sweeper::Change::What::kRelistDone, {}}); }
  void not_served() override { post_({kind_, sweeper::Change::What::kNotServed, {}}); }
  void trouble(const snapfreeze::Error&) override {}
  void recovered() override {}

 private:
  void pass(sweeper::Change::What what, const snapfreeze::Json& object) {
    auto facts = sweeper::facts_of(kind_, object, thaw_on_);
    if (facts) post_({kind_, what, std::move(*facts)});
  }

  const sweeper::Kind kind_;
  const sweeper::ThawOn thaw_on_;
  const Post post_;
};

// Sessions are in snapfreeze's own namespace, the rest is everywhere.
std::string namespace_of(sweeper::Kind kind) {
  return kind == sweeper::Kind::kSession ? kOwnNamespace : "";
}

}  // namespace

SimSweeper::SimSweeper(cluster::Cluster& cluster, const std::string& name, int life, const Product& product)
    : SimProcess(cluster, name, product.sweeper_clock),
      runtime_(cluster.runtime()),
      thaw_on_(product.thaw_on_ready ? sweeper::ThawOn::kReady : sweeper::ThawOn::kCaptured),
      identity_(name + "_" + std::to_string(life)),
      elector_(api_, clock_, kOwnNamespace, identity_),
      seams_{api_, clock_, server_time_, sessions_, elector_, metrics_},
      sweeper_(seams_, {identity_, {}}, {thaw_on_, true}) {
  process_.spawn("elector", [this] { elect(); });
  for (int i = 0; i < sweeper::kKinds; ++i) {
    const auto kind = static_cast<sweeper::Kind>(i);
    if (sweeper::is_watched(kind, thaw_on_)) process_.spawn("watch", [this, kind] { watch(kind); });
  }
  process_.spawn("loop", [this] { loop(); });
}

void SimSweeper::elect() {
  Millis wait{0};
  do {
    wait = elector_.step();
    post(Woken{});
  } while (clock_.wait(wait));
}

void SimSweeper::watch(sweeper::Kind kind) {
  ChangeSink sink(kind, thaw_on_, [this](sweeper::Change change) { post(std::move(change)); });
  kube::Watcher watcher({kube::collection_path(sweeper::resource_of(kind), namespace_of(kind)),
                         std::string(sweeper::label_selector_of(kind))},
                        sink, [] { return 0.5; });
  kube::run_watch(api_, clock_, watcher);
}

void SimSweeper::loop() {
  while (true) {
    for (const Message& message : take_messages()) {
      if (const auto* change = std::get_if<sweeper::Change>(&message)) sweeper_.on_change(*change);
      if (const auto* outcome = std::get_if<sweeper::Outcome>(&message)) sweeper_.done(*outcome);
    }
    for (sweeper::Job& job : sweeper_.take_due()) {
      process_.spawn("job", [this, job = std::move(job)] { post(sweeper_.run(job)); });
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
