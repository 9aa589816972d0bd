#include "webhook/service.h"

#include <atomic>
#include <thread>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "certs/key_pair_files.h"
#include "edge/server.h"
#include "kube/observing_api.h"
#include "tls/presented.h"
#include "webhook/budget.h"
#include "webhook/handler.h"

namespace snapfreeze::webhook {
namespace {

constexpr Millis kCertificateInterval{2000};
constexpr Millis kOwnHandshake{500};  // below a kubelet's own limit of 1 s for a probe

// Time for admissions: a process that is asked to stop still finishes those that wait for a session. Their waits are
// short, and their budget bounds them.
class DrainingClock final : public Clock {
 public:
  explicit DrainingClock(const Clock& clock) : clock_(clock) {}

  [[nodiscard]] Wall wall() const override { return clock_.wall(); }
  [[nodiscard]] Mono monotonic() const override { return clock_.monotonic(); }
  bool wait_until(Mono deadline) override {
    std::this_thread::sleep_until(deadline);
    return true;
  }

 private:
  const Clock& clock_;
};

edge::ServerOptions listening(const std::string& name, const std::string& address, std::uint16_t port, int workers) {
  edge::ServerOptions options;
  options.name = name;
  options.address = address;
  options.port = port;
  options.workers = workers;
  return options;
}

edge::ServerOptions listening_to(const WebhookOptions& options) {
  edge::ServerOptions https = listening("https", options.address, options.port, 64);
  https.clients = options.clients;
  return https;
}

std::string own_address(const std::string& listening, std::uint16_t port) {
  if (listening.empty()) return "127.0.0.1:" + std::to_string(port);
  const bool is_ipv6 = listening.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + listening + "]" : listening) + ":" + std::to_string(port);
}

}  // namespace

class Service::Impl {
 public:
  Impl(const WebhookOptions& options, kube::KubeApi& api, Clock& clock)
      : options_(options),
        clock_(clock),
        draining_clock_(clock),
        api_(api, server_time_, clock,
             [this](std::string_view verb, int status) { metrics_.api_called(verb, status); }),
        sessions_(api_, options.own_namespace),
        admission_({api_, draining_clock_, server_time_, sessions_, metrics_}, sweeper_, options.admission),
        handler_(admission_, draining_clock_, metrics_),
        files_({options.tls_cert, options.tls_key, ""}, certificate_),
        https_(listening_to(options), &certificate_, handler_),
        plain_(listening("plain", options.plain_address, options.plain_port, 4), nullptr,
               [this](const edge::HttpRequest& request) { return answer_plain(request); }) {}

  Result<Ports> start() {
    note(files_.poll(clock_.wall()));
    const auto https = https_.start();
    if (!https) return https.error();
    own_address_ = own_address(options_.address, *https);
    const auto plain = plain_.start();
    if (!plain) return plain.error();
    threads_.push_back(start_thread("certificate", [this] {
      certs::follow(files_, clock_, kCertificateInterval, [this](const auto& report) { note(report); });
    }));
    threads_.push_back(start_thread("liveness", [this] { watch_sweeper(); }));
    log::info("webhook listening", {{"port", *https}, {"plainPort", *plain}});
    return Ports{*https, *plain};
  }

  void run() {
    while (clock_.wait(std::chrono::hours(1))) continue;
    stopping_ = true;
    log::info("webhook stopping");
    https_.wind_down();
    std::this_thread::sleep_for(options_.wind_down);
    const bool all_answered = https_.stop(kLongestAdmission);
    plain_.stop(Millis(0));
    log::info("webhook stopped", {{"allAnswered", all_answered}});
  }

 private:
  edge::HttpResponse answer_plain(const edge::HttpRequest& request) {
    if (request.path == "/healthz") return edge::text_response(200, "ok");
    if (request.path == "/readyz") return readiness();
    if (request.path != "/metrics") return edge::text_response(404, "not found: try /healthz, /readyz or /metrics");
    return {200, metrics_.exposition(), {{"Content-Type", std::string(Metrics::kContentType)}}};
  }

  edge::HttpResponse readiness() const {
    if (stopping_) return edge::text_response(503, "stopping");
    const auto pair = certificate_.current();
    if (!pair) return edge::text_response(503, "no certificate yet: see the log");
    if (clock_.wall() >= pair->info().not_after) return edge::text_response(503, "the certificate has expired");
    if (const auto shown = tls::presented_certificate(own_address_, kOwnHandshake); !shown) {
      return edge::text_response(503, "no handshake with ourselves: " + shown.error().message);
    }
    if (!sweeper_asked_) return edge::text_response(503, "the sweeper's lease has not been read yet");
    return edge::text_response(200, "ok");
  }

  void note(const certs::KeyPairReport& report) {
    if (report.not_after) metrics_.certificate_expires(*report.not_after);
    if (!report.news) return;
    if (report.trouble.empty()) {
      log::info("certificate loaded", {{"file", options_.tls_cert}});
    } else {
      log::error("certificate cannot be used", {{"error", report.trouble}});
    }
  }

  // The leader's Lease, every few seconds until the clock says stop.
  void watch_sweeper() {
    bool alive = true;
    do {
      const auto lease = look_for_leader(api_, clock_, options_.own_namespace, sweeper_);
      if (lease || lease.error().code == Code::kNotFound) {
        lease_.succeeded();
      } else {
        lease_.failed(lease.error().message);
      }
      sweeper_asked_ = true;
      if (std::exchange(alive, sweeper_.alive(clock_.monotonic())) == alive) continue;
      if (alive) {
        log::info("a sweeper is alive");
      } else {
        log::warning("no sweeper is alive: no guest will be frozen");
      }
    } while (clock_.wait(kLivenessInterval));
  }

  const WebhookOptions options_;
  Clock& clock_;
  DrainingClock draining_clock_;
  Metrics metrics_;
  kube::ServerTime server_time_;
  kube::ObservingApi api_;
  freeze::SessionStore sessions_;
  Liveness sweeper_;
  Admission admission_;
  MutateHandler handler_;
  certs::CertHolder certificate_;
  certs::KeyPairFiles files_;
  log::Once lease_{"the sweeper's lease cannot be read", "the sweeper's lease is read again"};
  std::string own_address_;  // set before the plain port is opened
  std::atomic<bool> sweeper_asked_{false};
  std::atomic<bool> stopping_{false};
  edge::Server https_;
  edge::Server plain_;
  std::vector<std::jthread> threads_;  // last, since they use the rest
};

Service::Service(const WebhookOptions& options, kube::KubeApi& api, Clock& clock)
    : impl_((bound_memory_of_threads(), std::make_unique<Impl>(options, api, clock))) {}
Service::~Service() = default;

Result<Service::Ports> Service::start() {
  return impl_->start();
}

void Service::run() {
  impl_->run();
}

}  // namespace snapfreeze::webhook
