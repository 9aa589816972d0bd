// snapfreeze's own processes on loopback, each with ports of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/scenarios/runner/child.h"
#include "test/scenarios/runner/reserved_port.h"

namespace runner {

// Asks `ready` again and again; throws std::runtime_error that names `what` after `patience`.
void wait_for(const std::string& what, snapfreeze::Millis patience, const std::function<bool()>& ready);

[[nodiscard]] std::string last_line(const std::filesystem::path& file);

struct ProcessOptions {
  std::string program;
  std::filesystem::path directory;  // of <name>.kubeconfig, and of <name>.log, which is made
  std::string own_namespace;
  std::filesystem::path certificate;  // of the webhooks
  std::filesystem::path key;
};

class Processes {
 public:
  explicit Processes(ProcessOptions options) : options_(std::move(options)) {}
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  // Before start(); otherwise any free port.
  void listen_at(const std::string& webhook, int port) { all_[webhook].port = port; }
  // `name` is webhook-0, webhook-1, sweeper-0 or sweeper-1; its calls are counted under this name. `arguments` are
  // added to those that every process needs. Replaces the process of that name. Returns at once.
  void start(const std::string& name, const std::vector<std::string>& arguments);
  // Throws std::runtime_error after `patience`.
  void wait_until_ready(const std::string& name, snapfreeze::Millis patience);
  [[nodiscard]] Child& at(const std::string& name) { return *all_.at(name).child; }
  [[nodiscard]] std::vector<int> webhook_ports() const;  // of those that were started
  void kill_all();

 private:
  struct Process {
    std::unique_ptr<Child> child;
    ReservedPort status_port;              // plain
    int port = 0;                          // of the webhook
    std::optional<ReservedPort> reserved;  // `port`, when nobody said which
  };

  const ProcessOptions options_;
  std::map<std::string, Process> all_;
};

}  // namespace runner
