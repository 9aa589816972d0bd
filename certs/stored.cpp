#include "certs/stored.h"

#include "base/base64.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::certs {
namespace {

std::string decoded(const Json& value) {
  return base64_decode(value.string()).value_or("");
}

Error about(const std::string& object, const Error& error) {
  return {error.code, object + ": " + error.message, error.http_status};
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
  StoredSecret secret{ns, name, "", "", {}};
  const auto object = kube::object_of(reply);
  if (!object && object.error().code == Code::kNotFound) return secret;
  if (!object) return about("Secret " + ns + "/" + name, object.error());
  secret.uid = (*object)["metadata"]["uid"].string();
  secret.resource_version = (*object)["metadata"]["resourceVersion"].string();
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
    registration.webhooks.push_back({webhook["name"].string(), decoded(webhook["clientConfig"]["caBundle"])});
  }
  return registration;
}

Result<void> write_secret(kube::KubeApi& api, const StoredSecret& secret,
                          const std::vector<std::pair<std::string, std::string>>& entries) {
  Json data = Json::object();
  for (const auto& [key, value] : entries) data.set(key, base64_encode(value));
  if (secret.resource_version.empty()) {
    const Json object = Json::object(
        {{"apiVersion", "v1"},
         {"kind", "Secret"},
         {"metadata", Json::object({{"name", secret.name},
                                    {"namespace", secret.namespace_},
                                    {"labels", Json::object({{"app.kubernetes.io/name", "snapfreeze"}})}})},
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
