// What the two levels with the real program share: processes, TLS, real time.
#pragma once

#include <map>
#include <thread>
#include <vector>

#include "test/scenarios/runner/api_clients.h"
#include "test/scenarios/runner/controlled_system.h"
#include "test/scenarios/runner/processes.h"

namespace runner {

class ProcessSystem : public ControlledSystem {
 public:
  ~ProcessSystem() override;

  [[nodiscard]] std::string cannot_run(const Scenario& scenario) const override;
  [[nodiscard]] Millis look_every() const override { return Millis(500); }
  void wait_until(Since time) override;

 protected:
  virtual snapfreeze::kube::Response call(const std::string& user, const std::string& method, const std::string& target,
                                          const Json& body) = 0;
  virtual Processes& own() = 0;
  // Where Longhorn's REST API answers.
  [[nodiscard]] virtual std::string longhorn_url() const = 0;

  void request(const std::string& user, const std::string& method, const std::string& target,
               const Json& body) override;
  Json object(const std::string& collection, const std::string& ns, const std::string& name) override;
  Json items(const std::string& collection) override;
  void kill_process(const std::string& name, std::optional<Millis> back_after) override;
  void hang_process(const std::string& name, Millis lasts) override;
  int act(const std::string& user, const std::string& method, const std::string& target, const Json& body) override {
    return call(user, method, target, body).status;
  }
  [[nodiscard]] Since now() const override;

  // They are ready when it returns.
  void start_all(const std::string& kinds);
  // All is up: the scenario's clock starts when the webhooks have seen a sweeper.
  void start_clock();
  void comes_back(const std::string& name, std::optional<Millis> after) { back_after_[name] = after; }
  // Waits until every request was answered. To be called while whatever answers is still there.
  void finish_requests();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::vector<std::string> options_of(const std::string& name) const;
  void bury_the_dead();

  Clock::time_point start_{};
  std::map<std::string, std::optional<Millis>> back_after_;  // of those that are to be killed
  std::map<std::string, Clock::time_point> restart_at_;
  std::map<std::string, Clock::time_point> go_on_at_;
  std::vector<std::thread> requests_;
};

}  // namespace runner
