// Where the API server is and who we are: from the pod's service account or from a kubeconfig.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace snapfreeze::kube {

struct Config {
  std::string host;  // name or IP address, IPv6 without brackets
  int port = 443;
  std::string path_prefix;  // of the server's URL, "" or "/k8s/clusters/local": Rancher serves Harvester's API there
  std::string ca_pem;       // "": the system's roots
  std::string client_certificate_pem;  // chain; "" when none, as the key
  std::string client_key_pem;
  std::string token;            // "" when none
  std::string token_file;       // re-read when it rotates; wins over token
  std::string tls_server_name;  // the name to verify instead of host
  std::string namespace_;       // of the pod, or of the context; "default" when it names none
};

// All errors are kMalformed, and name the file, the field and what it should be.

// KUBERNETES_SERVICE_HOST and _PORT, and the files token, ca.crt and namespace of `directory`.
inline constexpr char kServiceAccountDirectory[] = "/var/run/secrets/kubernetes.io/serviceaccount";
Result<Config> in_cluster_config(const std::string& directory = kServiceAccountDirectory);

// A file named explicitly, else $KUBECONFIG (several files are merged), else in-cluster if the environment says so,
// else
// ~/.kube/config. With a kubeconfig, a proxy in $HTTPS_PROXY that the server is not exempt from is refused by name. In
// a cluster the API server is always reached directly.
Result<Config> load_config(const std::string& file = "", const std::string& context = "");

}  // namespace snapfreeze::kube
