// A real control plane that test/real/plane/up.sh has started: which files it left, and whose turn it is.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "test/scenarios/runner/child.h"

namespace runner {

class ControlPlane {
 public:
  // `directory` is up.sh's.
  explicit ControlPlane(std::filesystem::path directory);

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::string file(const std::string& name) const { return (directory_ / name).string(); }
  [[nodiscard]] int webhook_port(int replica) const { return port_ + 11 + replica; }

  // Kills etcd and the API server, and starts them again after that time. Returns at once.
  void interrupt(snapfreeze::Millis lasts);
  // Throws std::runtime_error when the API server did not come back.
  void wait_until_back();

 private:
  std::filesystem::path directory_;
  int port_;
  std::unique_ptr<Child> outage_;
};

// Each serves one scenario at a time. Thread-safe.
class ControlPlanes {
 public:
  explicit ControlPlanes(const std::vector<std::string>& directories);

  // Waits for a free one. It is free again when the pointer is destroyed.
  [[nodiscard]] std::shared_ptr<ControlPlane> take();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ControlPlane>> free_;
};

}  // namespace runner
