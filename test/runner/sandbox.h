// The sandbox and snapfreeze's programs as processes on loopback, each with files and ports of its own.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "certs/authority.h"
#include "kube/https_client.h"
#include "test/runner/child.h"

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

  // `name` is webhook-0, webhook-1, sweeper-0 or sweeper-1: the caller as whom it is known. `options` are added to what
  // each needs. Replaces the process of that name; returns at once.
  void start(const std::string& name, const std::vector<std::string>& options);
  // Throws std::runtime_error after `patience`.
  void wait_until_ready(const std::string& name, snapfreeze::Millis patience);
  // Tells the API server where the webhooks are.
  void register_webhooks();
  [[nodiscard]] Child& process(const std::string& name) { return *processes_.at(name).child; }
  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& started() const { return started_; }

  // `path` follows "/sandbox/". Throws std::runtime_error when it is refused.
  Json control(const std::string& method, const std::string& path, const Json& body = Json::object());
  // As admin or tenant; any status is a reply. Throws when none comes. Any thread.
  snapfreeze::kube::Response call(const std::string& user, const std::string& method, const std::string& target,
                                  const Json& body = Json());

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  struct Process {
    std::unique_ptr<Child> child;
    int port = 0;         // of the webhook
    int status_port = 0;  // plain
  };
  void connect(const std::string& user);
  void make_certificate();

  const Programs programs_;
  const bool keep_files_;
  std::filesystem::path directory_;
  std::string ca_bundle_;
  std::unique_ptr<Child> cluster_;
  std::map<std::string, Process> processes_;
  std::map<std::string, std::vector<std::string>> started_;  // with which options
  std::map<std::string, std::unique_ptr<snapfreeze::kube::HttpsClient>> clients_;
};

}  // namespace runner
