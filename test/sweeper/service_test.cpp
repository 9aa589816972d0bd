// The sweeper as it runs: real threads, real time, a real socket.
#include "sweeper/service.h"

#include <condition_variable>
#include <thread>

#include "base/log.h"
#include "freeze/names.h"
#include "freeze/session_store.h"
#include "test/cluster/cluster.h"
#include "test/cluster/in_process_api.h"
#include "test/cluster/runtime_threads.h"
#include "test/edge/peer.h"
#include "test/support/catch.h"
#include "test/sweeper/build.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;

namespace {

constexpr char kNamespace[] = "snapfreeze";

class RealClock : public Clock {
 public:
  [[nodiscard]] Wall wall() const override { return std::chrono::system_clock::now(); }
  [[nodiscard]] Mono monotonic() const override { return std::chrono::steady_clock::now(); }
  bool wait_until(Mono deadline) override {
    std::unique_lock lock(mutex_);
    return !changed_.wait_until(lock, deadline, [this] { return stopped_; });
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
};

// Ends its streams on demand, with the next line or bookmark.
class EndableApi : public kube::KubeApi {
 public:
  explicit EndableApi(kube::KubeApi& api) : api_(api) {}
  Result<kube::Response> call(const kube::Request& request) override { return api_.call(request); }
  std::vector<Result<kube::Response>> call_all(std::span<const kube::Request> requests) override {
    return api_.call_all(requests);
  }
  Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override {
    const auto ended = api_.stream(request, idle, [&](std::string_view line) { return !over_ && sink(line); });
    if (over_) return Error{Code::kCancelled, "stopping"};
    return ended;
  }
  void end_streams() { over_ = true; }

 private:
  kube::KubeApi& api_;
  std::atomic<bool> over_{false};
};

std::string get_plain(std::uint16_t port, const std::string& path) {
  const std::string body = Peer(port).ask(get(path)).body;
  return body.substr(0, body.find_last_not_of('\n') + 1);
}

struct Running {
  Running() : cluster(runtime), connection(cluster, "sweeper"), api(connection), sessions(connection, kNamespace) {
    log::configure(log::Format::kText, log::Level::kError);
    cluster.api().set_bookmark_interval(50ms);
    cluster.add_namespace(kNamespace);
    cluster.add_vm();
    options.plain_address = "127.0.0.1";
    options.plain_port = 0;
    options.own_namespace = kNamespace;
    options.identity = "sweeper-0";
  }
  ~Running() {
    stop();
    runtime.stop();
  }

  void start() {
    service = std::make_unique<sweeper::Service>(options, api, clock);
    const auto listening = service->start();
    REQUIRE(listening.ok());
    port = *listening;
    main = std::thread([this] { service->run(); });
  }
  void stop() {
    clock.stop();
    api.end_streams();
    if (main.joinable()) main.join();
    service.reset();
  }
  bool wait(const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !done(); ++i) std::this_thread::sleep_for(10ms);
    return done();
  }
  cluster::Json leader() { return cluster.get("coordination.k8s.io/leases", kNamespace, freeze::kLeaderLease); }
  std::string verdict(const std::string& snapshot) {
    const auto object = cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", snapshot);
    return object["metadata"]
        .value("annotations", cluster::Json::object())
        .value("snapfreeze.harvesterhci.io/consistency", "");
  }

  cluster::ThreadRuntime runtime;
  cluster::Cluster cluster;
  cluster::InProcessApi connection;
  EndableApi api;
  freeze::SessionStore sessions;
  RealClock clock;
  sweeper::SweeperOptions options;
  std::unique_ptr<sweeper::Service> service;
  std::uint16_t port = 0;
  std::thread main;
};

}  // namespace

TEST_CASE("a sweeper becomes ready, leads, thaws, judges, and lets another one lead when it stops") {
  Running running;
  running.start();
  CHECK(get_plain(running.port, "/healthz") == "ok");
  REQUIRE(running.wait([&] { return get_plain(running.port, "/readyz") == "ok"; }));
  REQUIRE(running.wait([&] { return !running.leader().is_null(); }));
  CHECK(running.leader()["spec"]["holderIdentity"].get<std::string>().starts_with("sweeper-0_"));

  freeze::Session wanted = session();
  wanted.vmi_uid = running.cluster.get("kubevirt.io/virtualmachineinstances", "vms", "vm1")["metadata"]["uid"];
  wanted.holds = {label_hold(1)};
  wanted.frozen_by = running.clock.wall();
  const auto begun = running.sessions.create(wanted);
  REQUIRE(begun.ok());
  running.cluster.create_snapshot(
      "script", "vms", "s0", "vm1-disk-0",
      {{"snapfreeze.harvesterhci.io/backup", "nightly"}, {"snapfreeze.harvesterhci.io/epoch", begun->uid}});
  CHECK(running.wait([&] { return running.verdict("s0") == "filesystem"; }));
  CHECK(running.wait([&] { return !running.sessions.read("vms", "vm1")->has_value(); }));
  const std::string metrics = get_plain(running.port, "/metrics");
  CHECK(metrics.find("snapfreeze_leader 1") != std::string::npos);
  CHECK(metrics.find("snapfreeze_capture_to_thaw_seconds_count 1") != std::string::npos);

  const Mono begin = running.clock.monotonic();
  running.stop();
  CHECK(running.clock.monotonic() - begin < 5s);
  CHECK(running.leader()["spec"]["holderIdentity"] == "");
}

TEST_CASE("a sweeper that cannot list everything is alive, but not ready, and does not lead") {
  Running running;
  running.cluster.add_fault(cluster::refusal("", "list", "virtualmachineinstances", 500));
  running.start();
  std::this_thread::sleep_for(300ms);
  CHECK(get_plain(running.port, "/healthz") == "ok");
  CHECK(get_plain(running.port, "/readyz") != "ok");
  CHECK(running.leader().is_null());
}

TEST_CASE("a port that is taken is refused at the start") {
  Running running;
  running.start();
  sweeper::SweeperOptions second = running.options;
  second.plain_port = running.port;
  RealClock clock;
  sweeper::Service service(second, running.api, clock);
  CHECK_FALSE(service.start().ok());
  clock.stop();
}
