// Scenarios with the real program: processes, TLS, real time. Each has a sandbox of its own.
#pragma once

#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "test/runner/controlled_system.h"
#include "test/runner/sandbox.h"

namespace runner {

class SandboxSystem : public ControlledSystem {
 public:
  SandboxSystem(Programs programs, std::uint64_t seed, bool keep_files)
      : programs_(std::move(programs)), seed_(seed), keep_files_(keep_files) {}
  ~SandboxSystem() override;

  [[nodiscard]] std::string cannot_run(const Scenario& scenario) const override;
  [[nodiscard]] Millis slack() const override { return Millis(2000); }
  [[nodiscard]] Millis look_every() const override { return Millis(500); }
  void start(const Scenario& scenario) override;
  void wait_until(Since time) override;

 protected:
  Json control(const std::string& method, const std::string& path, const Json& body) override;
  void request(const std::string& user, const std::string& method, const std::string& target,
               const Json& body) override;
  Json object(const std::string& collection, const std::string& ns, const std::string& name) override;
  Json items(const std::string& collection) override;
  void kill_process(const std::string& name, std::optional<Millis> back_after) override;
  void kill_at_call(const std::string& name, int call, std::optional<Millis> back_after) override;
  void hang(const std::string& name, Millis lasts) override;
  [[nodiscard]] Since now() const override;

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::vector<std::string> options_of(const std::string& name) const;
  void bury_the_dead();

  const Programs programs_;
  const std::uint64_t seed_;
  const bool keep_files_;
  std::unique_ptr<Sandbox> sandbox_;
  Clock::time_point start_{};
  std::map<std::string, std::optional<Millis>> back_after_;  // of those that are to be killed at a call
  std::map<std::string, Clock::time_point> restart_at_;
  std::map<std::string, Clock::time_point> go_on_at_;
  std::vector<std::thread> requests_;
};

}  // namespace runner
