// Scenarios in virtual time: the real logic of webhooks and sweepers against the in-memory cluster, one step at a time,
// in an order drawn by seed. One seed, one run.
#pragma once

#include <map>
#include <memory>

#include "test/double/cluster.h"
#include "test/double/face/sandbox_control.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/scenarios/runner/controlled_system.h"
#include "test/sim/process.h"

namespace runner {

class SimSystem : public ControlledSystem {
 public:
  explicit SimSystem(std::uint64_t seed) : runtime_(seed) {}
  ~SimSystem() override;

  [[nodiscard]] std::string cannot_run(const Scenario& scenario) const override {
    return scenario.wrong_ca ? "there is no TLS in virtual time" : "";
  }
  [[nodiscard]] Millis slack() const override { return Millis(0); }
  [[nodiscard]] Millis look_every() const override { return Millis(50); }
  void start(const Scenario& scenario) override;
  void wait_until(Since time) override { runtime_.sleep_until(start_ + time); }
  Observed look() override;

 protected:
  Json control(const std::string& method, const std::string& path, const Json& body) override;
  void request(const std::string& user, const std::string& method, const std::string& target,
               const Json& body) override;
  Json object(const std::string& collection, const std::string& ns, const std::string& name) override;
  Json items(const std::string& collection) override;
  void kill_process(const std::string& name, std::optional<Millis> back_after) override;
  void kill_at_call(const std::string& name, int call, std::optional<Millis> back_after) override;
  void hang_process(const std::string& name, Millis lasts) override;
  void hang_at_call(const std::string& name, const Event& event) override;
  int act(const std::string& user, const std::string& method, const std::string& target, const Json& body) override;
  [[nodiscard]] Since now() const override { return std::chrono::duration_cast<Since>(runtime_.now() - start_); }

 private:
  void start_process(const std::string& name);
  void register_replicas();

  cluster::SimRuntime runtime_;
  std::unique_ptr<cluster::Cluster> cluster_ = std::make_unique<cluster::Cluster>(runtime_);
  cluster::SandboxControl control_{*cluster_};
  cluster::Mono start_{};
  std::optional<std::pair<std::uint64_t, std::size_t>> looked_at_;  // the store's version, events so far
  Observed seen_;
  std::map<std::string, std::optional<Millis>> back_after_;       // of processes that are to be killed at a call
  std::map<std::string, std::shared_ptr<SimProcess>> processes_;  // the latest of each name
  std::vector<std::shared_ptr<SimProcess>> buried_;  // killed ones, as fibers of the cluster may still know them
  int lives_ = 0;
  std::map<std::string, std::shared_ptr<cluster::AdmissionTransport>> replicas_;
};

}  // namespace runner
