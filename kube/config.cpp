#include "kube/config.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/file.h"
#include "kube/kubeconfig.h"
#include "kube/proxy.h"
#include "kube/server_url.h"
#include "kube/token_source.h"

namespace snapfreeze::kube {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Of a variable that Go reads in both cases, its name and its value.
struct Variable {
  std::string name;
  std::string value;
};

Variable either_case(const char* upper, const char* lower) {
  const std::string value = environment(upper);
  return value.empty() ? Variable{lower, environment(lower)} : Variable{upper, value};
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// kubectl would connect by way of the proxy.
Result<Config> without_proxy(Result<Config> config) {
  if (!config) return config;
  const Variable proxy = either_case("HTTPS_PROXY", "https_proxy");
  const Variable none = either_case("NO_PROXY", "no_proxy");
  if (proxy.value.empty() || goes_direct(none.value, config->host, config->port)) return config;
  return Error{Code::kMalformed, proxy.name +
                                     ": proxies are not supported; the server must be reachable directly: add " +
                                     config->host + " to NO_PROXY, or unset " + proxy.name};
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
  if (!file.empty()) return without_proxy(kubeconfig(file, context));
  if (const auto files = split(environment("KUBECONFIG")); !files.empty()) {
    return without_proxy(kubeconfigs(files, context));
  }
  if (context.empty() && !environment("KUBERNETES_SERVICE_HOST").empty()) return in_cluster_config();
  return without_proxy(kubeconfig(environment("HOME") + "/.kube/config", context));
}

}  // namespace snapfreeze::kube
