#include "certs/stored.h"

#include "base/base64.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::certs {
namespace {

constexpr char kLabel[] = "app.kubernetes.io/name";
constexpr char kOurs[] = "snapfreeze";

std::string decoded(const Json& value) {
  return base64_decode(value.string()).value_or("");
}

Error about(const std::string& object, const Error& error) {
  return {error.code, object + ": " + error.message, error.http_status};
}

// As the API server calls it.
std::string host_of(const Json& client) {
  const std::string& service = client["service"]["name"].string();
  if (!service.empty()) return service + "." + client["service"]["namespace"].string() + ".svc";
  const std::string& url = client["url"].string();
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return "";
  const std::string host = url.substr(kScheme.size(), url.find('/', kScheme.size()) - kScheme.size());
  const bool is_name = host.find_first_not_of("0123456789.:[]abcdefABCDEF") != std::string::npos;
  return is_name ? host.substr(0, host.rfind(':')) : "";  // of an address there is no DNS name
}

}  // namespace

std::string StoredSecret::entry(const std::string& key) const {
  const auto found = data.find(key);
  return found == data.end() ? "" : found->second;
}

kube::Request read_secret_request(const std::string& ns, const std::string& name) {
  return kube::get_request(kube::object_path(kube::kSecrets, ns, name));
}

Result<StoredSecret> secret_of(const Result<kube::Response>& reply, const std::string& ns, const std::string& name) {
  StoredSecret secret{ns, name, "", "", {}, false};
  const auto object = kube::object_of(reply);
  if (!object && object.error().code == Code::kNotFound) return secret;
  if (!object) return about("Secret " + ns + "/" + name, object.error());
  secret.uid = (*object)["metadata"]["uid"].string();
  secret.resource_version = (*object)["metadata"]["resourceVersion"].string();
  secret.ours = (*object)["metadata"]["labels"][kLabel].string() == kOurs;
  for (const auto& [key, value] : (*object)["data"].members()) secret.data[key] = decoded(value);
  return secret;
}

kube::Request read_registration_request(const std::string& name) {
  return kube::get_request(kube::object_path(kube::kMutatingWebhookConfigurations, "", name));
}

Result<Registration> registration_of(const Result<kube::Response>& reply, const std::string& name) {
  Registration registration{name, {}};
  const auto object = kube::object_of(reply);
  if (!object && object.error().code == Code::kNotFound) return registration;
  if (!object) return about("MutatingWebhookConfiguration " + name, object.error());
  for (const Json& webhook : (*object)["webhooks"].items()) {
    const Json& client = webhook["clientConfig"];
    registration.webhooks.push_back({webhook["name"].string(), decoded(client["caBundle"]), host_of(client)});
  }
  return registration;
}

Result<void> write_secret(kube::KubeApi& api, const StoredSecret& secret,
                          const std::vector<std::pair<std::string, std::string>>& entries) {
  Json data = Json::object();
  for (const auto& [key, value] : entries) data.set(key, base64_encode(value));
  if (secret.resource_version.empty()) {
    const Json object = Json::object({{"apiVersion", "v1"},
                                      {"kind", "Secret"},
                                      {"metadata", Json::object({{"name", secret.name},
                                                                 {"namespace", secret.namespace_},
                                                                 {"labels", Json::object({{kLabel, kOurs}})}})},
                                      {"type", "kubernetes.io/tls"},
                                      {"data", data}});
    const auto created = kube::create(api, kube::collection_path(kube::kSecrets, secret.namespace_), object);
    return created ? Result<void>() : about("Secret " + secret.name, created.error());
  }
  const Json patch =
      Json::object({{"metadata", Json::object({{"resourceVersion", secret.resource_version}})}, {"data", data}});
  const auto patched = kube::merge_patch(api, kube::object_path(kube::kSecrets, secret.namespace_, secret.name), patch);
  return patched ? Result<void>() : about("Secret " + secret.name, patched.error());
}

Result<void> publish(kube::KubeApi& api, const Registration& registration, const std::string& bundle) {
  Json operations = Json::array();
  for (std::size_t i = 0; i < registration.webhooks.size(); ++i) {
    const std::string webhook = "/webhooks/" + std::to_string(i);
    operations.push(
        Json::object({{"op", "test"}, {"path", webhook + "/name"}, {"value", registration.webhooks[i].name}}));
    operations.push(
        Json::object({{"op", "add"}, {"path", webhook + "/clientConfig/caBundle"}, {"value", base64_encode(bundle)}}));
  }
  const auto patched =
      kube::json_patch(api, kube::object_path(kube::kMutatingWebhookConfigurations, "", registration.name), operations);
  return patched ? Result<void>() : patched.error();
}

}  // namespace snapfreeze::certs
