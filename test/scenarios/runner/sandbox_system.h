// Scenarios with the real program on the double. Each has a sandbox of its own.
#pragma once

#include <memory>

#include "test/scenarios/runner/process_system.h"
#include "test/scenarios/runner/sandbox.h"

namespace runner {

class SandboxSystem : public ProcessSystem {
 public:
  SandboxSystem(Programs programs, std::uint64_t seed, bool keep_files)
      : programs_(std::move(programs)), seed_(seed), keep_files_(keep_files) {}
  ~SandboxSystem() override { finish_requests(); }

  [[nodiscard]] Millis slack() const override { return Millis(2000); }
  void start(const Scenario& scenario) override;

 protected:
  Json control(const std::string& method, const std::string& path, const Json& body) override {
    return sandbox_->control(method, path, body);
  }
  snapfreeze::kube::Response call(const std::string& user, const std::string& method, const std::string& target,
                                  const Json& body) override {
    return sandbox_->call(user, method, target, body);
  }
  Processes& own() override { return sandbox_->processes(); }
  [[nodiscard]] std::string longhorn_url() const override { return last_line(sandbox_->directory() / "longhorn.url"); }
  void hang_at_call(const std::string& name, const Event& event) override;
  void kill_at_call(const std::string& name, int call, std::optional<Millis> back_after) override;

 private:
  const Programs programs_;
  const std::uint64_t seed_;
  const bool keep_files_;
  std::unique_ptr<Sandbox> sandbox_;
};

}  // namespace runner
