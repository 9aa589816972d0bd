#include "test/sim/webhook_process.h"

#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace runner {
namespace {

namespace webhook = snapfreeze::webhook;

webhook::Settings settings_of(const std::string& name, const Product& product) {
  webhook::Settings settings;
  settings.replica = name;
  settings.observe = product.observe;
  settings.max_freezes = product.max_freezes;
  return settings;
}

}  // namespace

SimWebhook::SimWebhook(cluster::Cluster& cluster, const std::string& name, const Product& product)
    : SimProcess(cluster, name, product.webhook_clock),
      admission_({api_, clock_, server_time_, sessions_, metrics_}, sweeper_, settings_of(name, product)),
      handler_(admission_, clock_, metrics_),
      transport_(std::make_shared<cluster::InProcessWebhook>(
          process_, [this](const std::string& target, const std::string& body) { return answer(target, body); })) {
  process_.spawn("liveness", [this] { watch_sweeper(); });
}

void SimWebhook::watch_sweeper() {
  const std::string lease =
      snapfreeze::kube::object_path(snapfreeze::kube::kLeases, kOwnNamespace, snapfreeze::freeze::kLeaderLease);
  do {
    const auto sent = clock_.monotonic();
    sweeper_.observe(snapfreeze::kube::get(api_, lease), sent);
  } while (clock_.wait(webhook::kLivenessInterval));
}

cluster::WebhookReply SimWebhook::answer(const std::string& target, const std::string& body) {
  gate_.pass();
  const std::size_t mark = target.find('?');
  snapfreeze::edge::HttpRequest request;
  request.method = "POST";
  request.path = target.substr(0, mark);
  request.query = mark == std::string::npos ? "" : target.substr(mark + 1);
  request.body = body;
  request.arrival = clock_.monotonic();
  const snapfreeze::edge::HttpResponse response = handler_(request);
  gate_.pass();
  return {response.status, response.body, std::nullopt, ""};
}

}  // namespace runner
