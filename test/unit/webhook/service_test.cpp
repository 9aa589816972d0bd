// The webhook over real sockets and TLS.
#include "webhook/service.h"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "certs/authority.h"
#include "kube/https_client.h"
#include "test/support/catch.h"
#include "test/support/real_clock.h"
#include "test/unit/edge/peer.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook::service_test {
namespace {

// A fake for one thread at a time, for many.
class OneAtATime : public kube::KubeApi {
 public:
  explicit OneAtATime(kube::KubeApi& api) : api_(api) {}
  Result<kube::Response> call(const kube::Request& request) override {
    const std::lock_guard lock(mutex_);
    kube::Request timeless = request;  // the fake has a clock of its own
    timeless.send_by = Mono::max();
    return api_.call(timeless);
  }
  Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override {
    return api_.stream(request, idle, sink);
  }

 private:
  kube::KubeApi& api_;
  std::mutex mutex_;
};

constexpr char kReview[] = R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u1",
    "kind": {"group": "snapshot.storage.k8s.io", "version": "v1", "kind": "VolumeSnapshot"}, "operation": "CREATE",
    "name": "s0", "namespace": "vms", "userInfo": {"username": "alice"}, "object": {"metadata": {"name": "s0",
    "labels": {"snapfreeze.harvesterhci.io/backup": "nightly"}, "annotations": {"snapfreeze.harvesterhci.io/vm": "vm1"}},
    "spec": {"source": {"persistentVolumeClaimName": "pvc-0"}}}}})";

std::string get_plain(std::uint16_t port, const std::string& path) {
  return Peer(port).ask(get(path)).body;
}

struct Fixture : test::World {
  Fixture() {
    std::filesystem::create_directories(folder);
    options.address = options.plain_address = "127.0.0.1";
    options.port = options.plain_port = 0;
    options.tls_cert = folder / "tls.crt";
    options.tls_key = folder / "tls.key";
    options.own_namespace = test::kOwnNamespace;
    options.admission.replica = "replica-1";
    options.wind_down = Millis(300);
    api.objects[kube::object_path(kube::kLeases, test::kOwnNamespace, "snapfreeze-sweeper")] = test::leader_lease();
  }
  ~Fixture() {
    stop();
    std::filesystem::remove_all(folder);
  }

  void write_certificate() {
    std::ofstream(options.tls_cert) << pair.certificate;
    std::ofstream(options.tls_key) << pair.key;
  }

  void start() {
    const auto started = service.emplace(options, locked, real_clock).start();
    REQUIRE(started.ok());
    ports = *started;
    running = std::thread([this] { service->run(); });
  }

  void stop() {
    real_clock.stop();
    if (running.joinable()) running.join();
  }

  bool becomes_ready() {
    for (int i = 0; i < 500; ++i) {
      if (get_plain(ports.plain, "/readyz").starts_with("ok")) return true;
      real_clock.wait(Millis(10));
    }
    return false;
  }

  Result<kube::Response> post(const std::string& body) {
    kube::Config config;
    config.host = "127.0.0.1";
    config.port = ports.https;
    config.ca_pem = ca.certificate;
    const auto client = kube::HttpsClient::create(config, "test");
    if (!client) return client.error();
    return (*client)->call({kube::Method::kPost, "/mutate?timeout=5s", body, "application/json", Millis(5000)});
  }

  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("snapfreeze-webhook-test-" + std::to_string(getpid()));
  const certs::PemPair ca = *certs::make_ca("test CA", std::chrono::system_clock::now());
  const certs::PemPair pair =
      *certs::issue_serving(ca, {{"localhost"}, {"127.0.0.1"}}, std::chrono::system_clock::now());
  WebhookOptions options;
  test::RealClock real_clock;
  OneAtATime locked{api};
  std::optional<Service> service;
  Service::Ports ports;
  std::thread running;
};

TEST_CASE_METHOD(Fixture, "a review is answered over TLS, and counted") {
  write_certificate();
  start();
  REQUIRE(becomes_ready());
  const auto response = post(kReview);
  REQUIRE(response.ok());
  CHECK(response->status == 200);
  CHECK(test::json(response->body)["response"]["allowed"].boolean());
  CHECK(get_plain(ports.plain, "/healthz").starts_with("ok"));
  const std::string metrics_page = get_plain(ports.plain, "/metrics");
  CHECK(metrics_page.find("snapfreeze_admissions_total{decision=\"froze\"} 1") != std::string::npos);
  CHECK(metrics_page.find("snapfreeze_certificate_expiry_timestamp_seconds ") != std::string::npos);
  CHECK(metrics_page.find("snapfreeze_api_calls_total{code=\"202\",verb=\"PUT\"} 1") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "bad input leaves the process unharmed") {
  write_certificate();
  start();
  REQUIRE(becomes_ready());
  CHECK(post("{").value().status == 400);
  CHECK(post("").value().status == 400);
  CHECK(post(std::string(8 << 20, ' ')).value().status == 413);
  CHECK(post(kReview).value().status == 200);
}

TEST_CASE_METHOD(Fixture, "without a certificate it is alive but not ready, until there is one") {
  start();
  CHECK(get_plain(ports.plain, "/readyz").find("no certificate") != std::string::npos);
  CHECK(get_plain(ports.plain, "/healthz").starts_with("ok"));
  write_certificate();
  CHECK(becomes_ready());
}

TEST_CASE_METHOD(Fixture, "a process that is asked to stop is not ready, but answers until it is gone") {
  options.wind_down = Millis(2000);
  write_certificate();
  start();
  REQUIRE(becomes_ready());
  real_clock.stop();
  std::this_thread::sleep_for(Millis(100));
  CHECK(get_plain(ports.plain, "/readyz").find("stopping") != std::string::npos);
  CHECK(post(kReview).value().status == 200);
  stop();
  CHECK_FALSE(post(kReview).ok());
}

TEST_CASE_METHOD(Fixture, "an admission that waits for a session is finished while the process stops") {
  options.wind_down = Millis(10);
  write_certificate();
  put_session([](freeze::Session& session) { session.phase = freeze::Phase::kThawing; });
  start();
  REQUIRE(becomes_ready());
  Result<kube::Response> response = Error{};
  std::thread caller([&] { response = post(kReview); });
  std::this_thread::sleep_for(Millis(300));
  const Mono stopped = real_clock.monotonic();
  stop();
  caller.join();
  CHECK(real_clock.monotonic() - stopped > Millis(2000));
  REQUIRE(response.ok());
  CHECK(response->status == 200);
  CHECK(test::json(response->body)["response"]["warnings"].items().at(0).string().ends_with("held"));
}

TEST_CASE_METHOD(Fixture, "a port that cannot be had is named") {
  options.address = "203.0.113.1";
  Service broken(options, locked, real_clock);
  const auto started = broken.start();
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().code == Code::kMalformed);
  CHECK(started.error().message.find("203.0.113.1") != std::string::npos);
}

}  // namespace
}  // namespace snapfreeze::webhook::service_test
