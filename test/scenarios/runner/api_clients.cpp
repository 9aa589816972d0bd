#include "test/scenarios/runner/api_clients.h"

#include <stdexcept>

#include "kube/kubeconfig.h"

namespace runner {
namespace {

namespace kube = snapfreeze::kube;

kube::Method method_of(const std::string& name) {
  if (name == "POST") return kube::Method::kPost;
  if (name == "PUT") return kube::Method::kPut;
  if (name == "PATCH") return kube::Method::kPatch;
  if (name == "DELETE") return kube::Method::kDelete;
  return kube::Method::kGet;
}

}  // namespace

void ApiClients::add(const std::string& user, const std::string& file) {
  const auto config = kube::kubeconfig(file);
  if (!config) throw std::runtime_error(config.error().message);
  auto client = kube::HttpsClient::create(*config, user);
  if (!client) throw std::runtime_error(client.error().message);
  clients_[user] = std::move(*client);
}

kube::Response ApiClients::call(const std::string& user, const std::string& method, const std::string& target,
                                const Json& body) const {
  kube::Request request;
  request.method = method_of(method);
  request.target = target;
  request.timeout = snapfreeze::Millis(30000);
  if (!body.is_null()) {
    request.body = body.dump();
    request.content_type = method == "PATCH" ? "application/merge-patch+json" : "application/json";
  }
  auto reply = clients_.at(user)->call(request);
  if (!reply) throw std::runtime_error(method + " " + target + ": " + reply.error().message);
  return std::move(*reply);
}

nlohmann::json ApiClients::control(const std::string& user, const std::string& method, const std::string& path,
                                   const Json& body) const {
  const kube::Response reply = call(user, method, "/sandbox/" + path, method == "GET" ? Json() : body);
  if (reply.status != 200) throw std::runtime_error("/sandbox/" + path + ": " + reply.body);
  return Json::parse(reply.body);
}

}  // namespace runner
