// The sweeper as it runs: real threads, real time, a real socket.
#include "sweeper/service.h"

#include <thread>

#include "base/log.h"
#include "freeze/names.h"
#include "freeze/session_store.h"
#include "test/double/cluster.h"
#include "test/double/face/in_process_api.h"
#include "test/double/runtime/runtime_threads.h"
#include "test/support/catch.h"
#include "test/support/real_clock.h"
#include "test/unit/edge/peer.h"
#include "test/unit/sweeper/build.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;

namespace {

constexpr char kNamespace[] = "snapfreeze";

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
  // A guest frozen by a session that waits for the one disk that is being cut.
  void begin_and_cut(const std::string& vm) {
    if (vm != "vm1") {
      cluster::VmOptions another;
      another.name = vm;
      cluster.add_vm(another);
    }
    const std::string path = "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/" + vm;
    REQUIRE(cluster.call("webhook", "PUT", path + "/freeze", {{"unfreezeTimeout", "30s"}}).status == 202);
    freeze::Session wanted = session();
    wanted.lease = "vms." + vm;
    wanted.vm = vm;
    wanted.vmi_uid = cluster.get("kubevirt.io/virtualmachineinstances", "vms", vm)["metadata"]["uid"];
    wanted.holds = {label_hold(1)};
    wanted.frozen_by = clock.wall();
    wanted.phase = freeze::Phase::kFreezing;
    auto begun = sessions.create(wanted);
    REQUIRE(begun.ok());
    begun->phase = freeze::Phase::kFrozen;
    begun->frozen_by = clock.wall();
    begun = sessions.update(*begun);
    REQUIRE(begun.ok());
    cluster.create_snapshot(
        "script", "vms", vm + "-snapshot", vm + "-disk-0",
        {{"snapfreeze.harvesterhci.io/backup", "nightly"}, {"snapfreeze.harvesterhci.io/epoch", begun->uid}});
  }
  bool frozen(const std::string& vm) {
    return cluster.locked([&] { return cluster.truth().frozen_now("vms/" + vm); });
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

  running.begin_and_cut("vm1");
  CHECK(running.wait([&] { return running.verdict("vm1-snapshot") == "filesystem"; }));
  CHECK(running.wait([&] { return !running.sessions.read("vms", "vm1")->has_value(); }));
  const std::string metrics = get_plain(running.port, "/metrics");
  CHECK(metrics.find("snapfreeze_leader 1") != std::string::npos);
  CHECK(metrics.find("snapfreeze_capture_to_thaw_seconds_count 1") != std::string::npos);

  const Mono begin = running.clock.monotonic();
  running.stop();
  CHECK(running.clock.monotonic() - begin < 5s);
  CHECK(running.leader()["spec"]["holderIdentity"] == "");
}

TEST_CASE("a thaw waits for no verdict, however many there are and however slow") {
  Running running;
  running.start();
  REQUIRE(running.wait([&] { return !running.leader().is_null(); }));
  cluster::Fault slow;
  slow.kind = cluster::FaultKind::kDelayBefore;
  slow.caller = "sweeper";
  slow.verb = "patch";
  slow.path = "/volumesnapshots/";
  slow.count = -1;
  slow.delay = 5000ms;
  running.cluster.add_fault(slow);

  constexpr int kVerdicts = 10;
  for (int i = 0; i < kVerdicts; ++i) running.begin_and_cut("vm" + std::to_string(i + 2));
  std::this_thread::sleep_for(300ms);  // all are thawed, and their verdicts being written
  cluster::DiskOptions disk;
  disk.cut = 500ms;
  running.cluster.storage().set_default(disk);
  running.begin_and_cut("late");
  REQUIRE(running.frozen("late"));
  const Mono begin = running.clock.monotonic();
  CHECK(running.wait([&] { return !running.frozen("late"); }));
  CHECK(running.clock.monotonic() - begin < 2s);
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
