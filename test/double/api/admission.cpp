#include "test/double/api/admission.h"

#include <stdexcept>

#include "test/double/api/match_conditions.h"
#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/review.h"
#include "test/double/api/selectors.h"
#include "test/double/api/status.h"
#include "test/double/api/store.h"
#include "test/double/face/base64.h"
#include "test/double/truth.h"

namespace cluster {
namespace {

constexpr int kMaxAttempts = 10;

Json configuration(const WebhookOptions& options) {
  Json conditions = Json::array();
  for (const std::string& expression : options.match_conditions) {
    conditions.push_back({{"name", "backup-" + std::to_string(conditions.size())}, {"expression", expression}});
  }
  const Json opt_out = {{"key", options.opt_out_namespace_label}, {"operator", "NotIn"}, {"values", {"true"}}};
  const Json rule = {{"apiGroups", {"snapshot.storage.k8s.io"}},
                     {"apiVersions", {"v1"}},
                     {"operations", {"CREATE"}},
                     {"resources", {"volumesnapshots"}},
                     {"scope", "*"}};
  const Json webhook = {
      {"name", options.name + ".snapfreeze.harvesterhci.io"},
      {"admissionReviewVersions", {"v1"}},
      {"clientConfig",
       {{"caBundle", base64_encode(options.ca_bundle)},
        {"service",
         {{"namespace", options.service_namespace}, {"name", options.name}, {"path", options.path}, {"port", 443}}}}},
      {"failurePolicy", options.failure_policy},
      {"matchConditions", conditions},
      {"namespaceSelector", {{"matchExpressions", Json::array({opt_out})}}},
      {"rules", Json::array({rule})},
      {"sideEffects", "NoneOnDryRun"},
      {"timeoutSeconds", options.timeout_seconds}};
  return {{"apiVersion", "admissionregistration.k8s.io/v1"},
          {"kind", "MutatingWebhookConfiguration"},
          {"metadata", {{"name", options.name}}},
          {"webhooks", Json::array({webhook})}};
}

bool lists(const Json& rule, const char* field, const std::string& value) {
  for (const Json& entry : rule.value(field, Json::array())) {
    if (entry == "*" || entry == value) return true;
  }
  return false;
}

bool rules_match(const Json& webhook) {
  for (const Json& rule : part(webhook, "rules")) {
    if (lists(rule, "apiGroups", "snapshot.storage.k8s.io") && lists(rule, "apiVersions", "v1") &&
        lists(rule, "operations", "CREATE") && lists(rule, "resources", "volumesnapshots")) {
      return true;
    }
  }
  return false;
}

bool conditions_match(const Json& webhook, const Json& object) {
  for (const Json& condition : part(webhook, "matchConditions")) {
    if (!match_condition(condition.at("expression"), object)) return false;
  }
  return true;
}

// "https://host:port/path"
void split_url(const std::string& url, std::string& host, int& port, std::string& path) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t slash = std::min(url.find('/', begin), url.size());
  const std::string authority = url.substr(begin, slash - begin);
  const std::size_t colon = authority.rfind(':');
  host = authority.substr(0, colon);
  port = colon == std::string::npos ? 443 : std::stoi(authority.substr(colon + 1));
  path = slash == url.size() ? "/" : url.substr(slash);
}

}  // namespace

void Admission::register_webhook(const WebhookOptions& options,
                                 std::vector<std::shared_ptr<AdmissionTransport>> replicas) {
  set_replicas(options.service_namespace, options.name, std::move(replicas));
  const Lock lock = runtime_.lock();
  const ResourceType& type = store_.resources().at("admissionregistration.k8s.io", "mutatingwebhookconfigurations");
  const Json wanted = configuration(options);
  if (store_.get(type, "", options.name) == nullptr) {
    store_.create(type, "", wanted);
    return;
  }
  store_.update(type, "", options.name, Store::Scope::kAll, [&](Json& object) -> std::optional<Reply> {
    object["webhooks"] = wanted["webhooks"];
    return std::nullopt;
  });
}

void Admission::set_replicas(const std::string& ns, const std::string& service,
                             std::vector<std::shared_ptr<AdmissionTransport>> replicas) {
  const Lock lock = runtime_.lock();
  services_[ns + "/" + service] = std::move(replicas);
}

void Admission::set_connect(Connect connect) {
  const Lock lock = runtime_.lock();
  connect_ = std::move(connect);
}

void Admission::reject_after_admission(const std::string& ns, const std::string& name, int times) {
  const Lock lock = runtime_.lock();
  rejected_[ns + "/" + name] = times;
}

std::vector<Admission::Webhook> Admission::matching(const Json& object, const std::string& ns,
                                                    std::optional<Reply>& trouble) {
  std::vector<Webhook> found;
  const Lock lock = runtime_.lock();
  const ResourceType& type = store_.resources().at("admissionregistration.k8s.io", "mutatingwebhookconfigurations");
  const ObjectRef space = store_.get(store_.resources().at("", "namespaces"), "", ns);
  if (space == nullptr) return found;
  for (const ObjectRef& config : store_.all(type)) {
    for (const Json& webhook : part(config->json, "webhooks")) {
      if (!rules_match(webhook)) continue;
      if (!Selector::from_json(webhook.value("namespaceSelector", Json())).matches(space->json)) continue;
      if (!Selector::from_json(webhook.value("objectSelector", Json())).matches(object)) continue;
      try {
        if (conditions_match(webhook, object)) found.push_back({webhook.at("name"), webhook});
      } catch (const std::exception& error) {
        trouble = internal_error(error.what());
      }
    }
  }
  return found;
}

std::optional<Reply> Admission::admit(const HttpRequest& request, Json& object, bool dry_run) {
  const std::string ns = object["metadata"].value("namespace", "");
  std::optional<Reply> trouble;
  for (const Webhook& webhook : matching(object, ns, trouble)) {
    for (int round = 0; round < rounds_ && !trouble; ++round) trouble = call(webhook, request, object, dry_run);
  }
  if (trouble) return trouble;
  const Lock lock = runtime_.lock();
  const std::string name = object["metadata"].value("name", "");
  const auto rejected = rejected_.find(ns + "/" + name);
  if (rejected == rejected_.end() || rejected->second == 0 || dry_run) return std::nullopt;
  if (rejected->second > 0) --rejected->second;
  return refuse(403, "Forbidden",
                "volumesnapshots.snapshot.storage.k8s.io \"" + name +
                    "\" is forbidden: rejected by "
                    "another admission plug-in");
}

std::optional<Reply> Admission::call(const Webhook& webhook, const HttpRequest& request, Json& object, bool dry_run) {
  const std::string uid = new_uid(runtime_);
  const Mono began = runtime_.now();
  const WebhookReply reply = post(webhook, review_body(request, object, uid, dry_run));
  ReviewAnswer answer;
  if (reply.status == 0) {
    answer.error = reply.error;
  } else if (reply.status != 200) {
    answer.error = "the server answered with status " + std::to_string(reply.status);
  } else {
    answer = read_answer(reply.body, uid);
  }
  {
    const Lock lock = runtime_.lock();
    const auto took = std::chrono::duration_cast<Millis>(runtime_.now() - began);
    const std::string outcome = !answer.error.empty() ? answer.error
                                : !answer.allowed     ? "denied"
                                : answer.patch        ? "patched"
                                                      : "allowed";
    truth_.note("admission",
                object["metadata"].value("namespace", "") + "/" + object["metadata"].value("name", "(generated)"),
                outcome + " in " + std::to_string(took.count()) + " ms");
  }
  if (!answer.error.empty()) {
    if (webhook.config.value("failurePolicy", "Fail") == "Ignore") return std::nullopt;
    return internal_error("failed calling webhook \"" + webhook.name + "\": " + answer.error);
  }
  if (!answer.allowed) {
    return refuse(answer.code == 0 ? 403 : answer.code, "Forbidden",
                  "admission webhook \"" + webhook.name + "\" denied the request: " + answer.message);
  }
  if (!answer.patch) return std::nullopt;
  // From here on a mistake of the webhook fails the request, whatever its failurePolicy.
  try {
    object = object.patch(Json::parse(*answer.patch));
  } catch (const Json::exception& error) {
    const Lock lock = runtime_.lock();
    truth_.note("admission", request.path, "denied by a patch that does not apply in 0 ms");
    return internal_error(error.what());
  }
  if (!object.is_object() || !object["metadata"].is_object()) return internal_error("the patched object is no object");
  return std::nullopt;
}

// As the API server's client does: 429 and 5xx are retried when they carry Retry-After, inside the deadline.
WebhookReply Admission::post(const Webhook& webhook, std::string body) {
  const int timeout = webhook.config.value("timeoutSeconds", 10);
  WebhookCall call;
  call.body = std::move(body);
  call.deadline = runtime_.now() + std::chrono::seconds(timeout);
  const Json& client_config = part(webhook.config, "clientConfig");
  for (int attempt = 1;; ++attempt) {
    const auto replica = draw_replica(client_config, call);
    if (replica == nullptr) return {0, "", std::nullopt, "no endpoints available for service"};
    call.target += "?timeout=" + std::to_string(timeout) + "s";
    WebhookReply reply = replica->post(call);
    const bool again = (reply.status == 429 || reply.status >= 500) && reply.retry_after && attempt < kMaxAttempts;
    if (!again) return reply;
    const Mono retry_at = runtime_.now() + std::chrono::seconds(*reply.retry_after);
    if (retry_at >= call.deadline) return reply;
    runtime_.sleep_until(retry_at);
  }
}

std::shared_ptr<AdmissionTransport> Admission::draw_replica(const Json& client_config, WebhookCall& call) {
  call.ca_bundle = base64_decode(client_config.value("caBundle", "")).value_or("");
  const Lock lock = runtime_.lock();
  if (client_config.contains("url")) {
    int port = 0;
    split_url(client_config["url"], call.server_name, port, call.target);
    return connect_ ? connect_(call.server_name, port) : nullptr;
  }
  const Json& service = part(client_config, "service");
  const std::string ns = service.value("namespace", "");
  const std::string name = service.value("name", "");
  call.server_name = name + "." + ns + ".svc";
  call.target = service.value("path", "/");
  const auto& replicas = services_[ns + "/" + name];
  return replicas.empty() ? nullptr : replicas[runtime_.random(std::uint64_t{0}, replicas.size() - 1)];
}

}  // namespace cluster
