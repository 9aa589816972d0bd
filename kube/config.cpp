#include "kube/config.h"

#include <cstdlib>
#include <utility>

#include "base/file.h"
#include "kube/server_url.h"
#include "kube/token_source.h"

namespace snapfreeze::kube {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<Config> in_cluster_config(const std::string& directory) {
  const std::string port = environment("KUBERNETES_SERVICE_PORT");
  Config config;
  config.host = environment("KUBERNETES_SERVICE_HOST");
  if (config.host.empty() || port.empty()) {
    return Error{Code::kMalformed,
                 "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: outside of a cluster, name a "
                 "kubeconfig"};
  }
  const auto number = parse_port(port);
  if (!number) return Error{Code::kMalformed, "KUBERNETES_SERVICE_PORT: \"" + port + "\" is not a port of 1 to 65535"};
  config.port = *number;
  config.token_file = directory + "/token";
  const Result<std::string> token = read_token(config.token_file);
  if (!token.ok()) {
    return Error{Code::kMalformed,
                 token.error().message + "; the pod needs automountServiceAccountToken: true and a service account"};
  }
  const Result<std::string> ca = read_file(directory + "/ca.crt");
  if (!ca.ok()) return ca.error();
  config.ca_pem = ca.value();
  const Result<std::string> own_namespace = read_file(directory + "/namespace");
  if (!own_namespace.ok()) return own_namespace.error();
  config.namespace_ = own_namespace.value();
  while (config.namespace_.ends_with('\n')) config.namespace_.pop_back();
  return config;
}

Result<Config> load_config(const std::string& file, const std::string& context) {
  if (!file.empty()) return kubeconfig(file, context);
  if (const std::string named = environment("KUBECONFIG"); !named.empty()) {
    if (named.find(':') != std::string::npos) {
      return Error{Code::kMalformed,
                   "KUBECONFIG: names several files, which are not merged; one file is expected, such as "
                   "`kubectl config view --flatten --minify` writes"};
    }
    return kubeconfig(named, context);
  }
  if (context.empty() && !environment("KUBERNETES_SERVICE_HOST").empty()) return in_cluster_config();
  return kubeconfig(environment("HOME") + "/.kube/config", context);
}

}  // namespace snapfreeze::kube
