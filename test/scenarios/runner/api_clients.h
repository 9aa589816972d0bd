// Clients of one API server, each as a user of its own.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "kube/https_client.h"

namespace runner {

class ApiClients {
 public:
  using Json = nlohmann::json;

  // Throws std::runtime_error when the file cannot be used.
  void add(const std::string& user, const std::string& kubeconfig);
  // Any status is a reply. Throws std::runtime_error when none comes. Any thread.
  snapfreeze::kube::Response call(const std::string& user, const std::string& method, const std::string& target,
                                  const Json& body = Json()) const;
  // `path` follows "/sandbox/". Throws std::runtime_error when it is refused.
  Json control(const std::string& user, const std::string& method, const std::string& path, const Json& body) const;

 private:
  std::map<std::string, std::unique_ptr<snapfreeze::kube::HttpsClient>> clients_;
};

}  // namespace runner
