#include "test/sim/webhook_process.h"

#include "webhook/budget.h"

namespace sim {
namespace {

namespace webhook = snapfreeze::webhook;

webhook::Settings named(webhook::Settings settings, const std::string& name) {
  settings.replica = name;
  return settings;
}

}  // namespace

WebhookProcess::WebhookProcess(cluster::Cluster& cluster, const std::string& name, Record& record,
                               const WebhookProcessOptions& options)
    : Process(cluster, name, record, options.clock_offset),
      admission_({api, clock, server_time, sessions, metrics}, sweeper_, named(options.settings, name)),
      handler_(admission_, clock, metrics),
      transport_(std::make_shared<cluster::InProcessWebhook>(
          fibers, [this](const std::string& target, const std::string& body) { return answer(target, body); })) {
  fibers.spawn("liveness", [this] { follow_leader(); });
}

void WebhookProcess::follow_leader() {
  do {
    (void)webhook::look_for_leader(api, clock, kOwnNamespace, sweeper_);
  } while (clock.wait(webhook::kLivenessInterval));
}

void WebhookProcess::terminate() {
  fibers.spawn("terminate", [this] {
    fibers.runtime().sleep_for(webhook::kLongestAdmission);
    kill();
  });
}

cluster::WebhookReply WebhookProcess::answer(const std::string& target, const std::string& body) {
  gate.pass();
  const std::size_t mark = target.find('?');
  snapfreeze::edge::HttpRequest request;
  request.method = "POST";
  request.path = target.substr(0, mark);
  request.query = mark == std::string::npos ? "" : target.substr(mark + 1);
  request.body = body;
  request.arrival = clock.monotonic();
  const snapfreeze::edge::HttpResponse response = handler_(request);
  gate.pass();
  return {response.status, response.body, std::nullopt, ""};
}

}  // namespace sim
