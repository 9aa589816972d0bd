// The sandbox and snapfreeze's programs as processes on loopback, each with files and ports of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "certs/authority.h"
#include "test/scenarios/runner/api_clients.h"
#include "test/scenarios/runner/processes.h"

namespace runner {

// Where the programs are.
struct Programs {
  std::string sandbox;
  std::string snapfreeze;
};

class Sandbox {
 public:
  using Json = nlohmann::json;

  // Returns when the sandbox answers. Everything is put into a new directory, which is removed at the end unless
  // `keep_files`. Throws std::runtime_error.
  Sandbox(Programs programs, std::uint64_t seed, bool keep_files);
  ~Sandbox();

  [[nodiscard]] Processes& processes() { return *processes_; }
  // Where its files are: <user>.kubeconfig and <process>.log.
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  // Tells the API server where the webhooks are and which CA to trust: with `wrong_ca`, not the one that signed theirs.
  void register_webhooks(bool wrong_ca = false);

  // `path` follows "/sandbox/". Throws std::runtime_error when it is refused.
  Json control(const std::string& method, const std::string& path, const Json& body = Json::object()) {
    return clients_.control("admin", method, path, body);
  }
  // As admin, tenant, tenant-of-other or harvester; any status is a reply. Throws when none comes. Any thread.
  snapfreeze::kube::Response call(const std::string& user, const std::string& method, const std::string& target,
                                  const Json& body = Json()) {
    return clients_.call(user, method, target, body);
  }

 private:
  void make_certificate();

  const bool keep_files_;
  std::filesystem::path directory_;
  std::string ca_bundle_;
  std::unique_ptr<Child> cluster_;
  std::unique_ptr<Processes> processes_;
  ApiClients clients_;
};

}  // namespace runner
