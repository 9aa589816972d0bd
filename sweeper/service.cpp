#include "sweeper/service.h"

#include <atomic>
#include <random>
#include <thread>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "edge/server.h"
#include "kube/observing_api.h"
#include "sweeper/driver.h"
#include "sweeper/leader_api.h"
#include "sweeper/longhorn/http_longhorn.h"

namespace snapfreeze::sweeper {
namespace {

std::string unique(const std::string& identity) {
  constexpr char kDigits[] = "0123456789abcdef";
  constexpr int kLength = 8;
  std::random_device random;
  std::string name = identity + "_";
  for (int i = 0; i < kLength; ++i) name += kDigits[random() % 16];
  return name;
}

edge::ServerOptions listening(const SweeperOptions& options) {
  edge::ServerOptions server;
  server.name = "plain";
  server.address = options.plain_address;
  server.port = options.plain_port;
  server.workers = 4;
  return server;
}

std::unique_ptr<certs::Keeper> make_keeper(const SweeperOptions& options, certs::KeeperSeams seams) {
  switch (options.certificates_from) {
    case SweeperOptions::CertificatesFrom::kSelfManaged:
      return certs::make_self_managed(std::move(seams), options.certificates);
    case SweeperOptions::CertificatesFrom::kSecret:
      return certs::make_from_secret(std::move(seams), options.certificates);
    case SweeperOptions::CertificatesFrom::kElsewhere:
      break;
  }
  return nullptr;
}

Result<std::unique_ptr<HttpLonghorn>> make_longhorn(const SweeperOptions& options) {
  if (options.longhorn_url.empty()) return std::unique_ptr<HttpLonghorn>();
  return HttpLonghorn::make(options.longhorn_url);
}

}  // namespace

class Service::Impl {
 public:
  Impl(const SweeperOptions& options, kube::KubeApi& api, Clock& clock)
      : clock_(clock),
        identity_(unique(options.identity)),
        api_(api, server_time_, clock,
             [this](std::string_view verb, int status) { metrics_.api_called(verb, status); }),
        elector_(api_, clock, options.own_namespace, identity_),
        led_api_(api_, elector_),
        longhorn_(make_longhorn(options)),
        sessions_(led_api_, options.own_namespace),
        seams_{led_api_,
               clock,
               server_time_,
               sessions_,
               elector_,
               metrics_,
               std::make_shared<ServedVersions>(),
               longhorn_ ? longhorn_->get() : nullptr},
        sweeper_(seams_, {identity_, options.policy}, {options.thaw_on, options.rescue}),
        driver_(sweeper_, elector_, api_, clock, metrics_, {options.own_namespace, options.thaw_on, options.workers}),
        keeper_(make_keeper(options, {led_api_, clock, server_time_, [this] { return leads_for_a_write(); }})),
        plain_(listening(options), nullptr, [this](const edge::HttpRequest& request) { return answer(request); }) {}

  Result<std::uint16_t> start() {
    if (!longhorn_) return Error{Code::kMalformed, "--longhorn-url: " + longhorn_.error().message};
    const auto port = plain_.start();
    if (!port) return port.error();
    driver_.start();
    if (keeper_) keeper_thread_ = start_thread("certificates", [this] { keep_certificates(); });
    log::info("sweeper started", {{"plainPort", *port}, {"name", identity_}});
    return *port;
  }

  void run() {
    while (clock_.wait(std::chrono::hours(1))) continue;
    stopping_ = true;
    log::info("sweeper stopping");
    if (*longhorn_ != nullptr) (*longhorn_)->stop();
    driver_.stop();
    // Its last call has ended meanwhile. If it still writes a Secret, the write holds only for the version that it
    // read.
    if (keeper_thread_.joinable()) keeper_thread_.join();
    plain_.stop(Millis(0));
    log::info("sweeper stopped");
  }

 private:
  edge::HttpResponse answer(const edge::HttpRequest& request) const {
    if (request.path == "/healthz") return edge::text_response(200, "ok");
    if (request.path == "/readyz") {
      if (stopping_) return edge::text_response(503, "stopping");
      if (!driver_.synced()) return edge::text_response(503, "not everything has been listed yet: see the log");
      return edge::text_response(200, "ok");
    }
    if (request.path != "/metrics") return edge::text_response(404, "not found: try /healthz, /readyz or /metrics");
    return {200, metrics_.exposition(), {{"Content-Type", std::string(Metrics::kContentType)}}};
  }

  bool leads_for_a_write() const { return elector_.leads_for(kube::kCallTimeout); }

  // Until the clock says stop.
  void keep_certificates() {
    certs::StepReport report;
    std::string last_trouble;
    do {
      report = keeper_->step();
      if (report.serving_not_after) metrics_.certificate_expires(*report.serving_not_after);
      if (report.ca_not_after) metrics_.ca_expires(*report.ca_not_after);
      if (!report.done.empty()) log::info("certificates changed", {{"did", report.done}});
      if (report.trouble != std::exchange(last_trouble, report.trouble)) {
        if (report.trouble.empty()) {
          log::info("certificates are well again");
        } else {
          log::error("certificates cannot be kept", {{"error", report.trouble}});
        }
      }
    } while (clock_.wait(report.wait));
  }

  Clock& clock_;
  const std::string identity_;
  Metrics metrics_;
  kube::ServerTime server_time_;
  kube::ObservingApi api_;
  Elector elector_;
  LeaderApi led_api_;
  const Result<std::unique_ptr<HttpLonghorn>> longhorn_;  // nullptr: it is not asked
  freeze::SessionStore sessions_;
  const Seams seams_;
  Sweeper sweeper_;
  Driver driver_;
  const std::unique_ptr<certs::Keeper> keeper_;
  std::atomic<bool> stopping_{false};
  edge::Server plain_;
  std::jthread keeper_thread_;  // last, since it uses the rest
};

Service::Service(const SweeperOptions& options, kube::KubeApi& api, Clock& clock)
    : impl_((bound_memory_of_threads(), std::make_unique<Impl>(options, api, clock))) {}
Service::~Service() = default;

Result<std::uint16_t> Service::start() {
  return impl_->start();
}

void Service::run() {
  impl_->run();
}

}  // namespace snapfreeze::sweeper
