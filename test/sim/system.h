// Scenarios in virtual time: the product's own parts, as test/sim/ puts them together, against the in-memory cluster,
// one step at a time, in an order drawn by seed. One seed, one run.
#pragma once

#include <memory>

#include "test/double/cluster.h"
#include "test/double/face/sandbox_control.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/scenarios/runner/controlled_system.h"
#include "test/sim/installation.h"

namespace sim {

class System : public runner::ControlledSystem {
 public:
  using Scenario = runner::Scenario;
  // With `trace` the timeline of the run is printed at its end.
  explicit System(std::uint64_t seed, bool trace = false) : trace_(trace), runtime_(seed) {}
  ~System() override;

  [[nodiscard]] std::string cannot_run(const Scenario& scenario) const override {
    return scenario.wrong_ca ? "there is no TLS in virtual time" : "";
  }
  [[nodiscard]] Millis slack() const override { return Millis(0); }
  [[nodiscard]] Millis look_every() const override { return Millis(50); }
  void start(const Scenario& scenario) override;
  void wait_until(runner::Since time) override { runtime_.sleep_until(start_ + time); }
  runner::Observed look() override;

 protected:
  Json control(const std::string& method, const std::string& path, const Json& body) override;
  void request(const std::string& user, const std::string& method, const std::string& target,
               const Json& body) override;
  Json object(const std::string& collection, const std::string& ns, const std::string& name) override;
  Json items(const std::string& collection) override;
  void kill_process(const std::string& name, std::optional<Millis> back_after) override {
    installation_->kill(name, back_after);
  }
  void kill_at_call(const std::string& name, int, std::optional<Millis> back_after) override {
    installation_->when_killed(name, back_after);
  }
  void hang_process(const std::string& name, Millis lasts) override {
    installation_->process(name).gate.close_for(lasts);
  }
  void hang_at_call(const std::string& name, const runner::Event& event) override;
  int act(const std::string& user, const std::string& method, const std::string& target, const Json& body) override;
  [[nodiscard]] runner::Since now() const override {
    return std::chrono::duration_cast<runner::Since>(runtime_.now() - start_);
  }

 private:
  const bool trace_;
  cluster::SimRuntime runtime_;
  std::unique_ptr<cluster::Cluster> cluster_ = std::make_unique<cluster::Cluster>(runtime_);
  cluster::SandboxControl control_{*cluster_};
  std::unique_ptr<Installation> installation_;
  cluster::Mono start_{};
  std::optional<std::pair<std::uint64_t, std::size_t>> looked_at_;  // the store's version, events so far
  runner::Observed seen_;
};

}  // namespace sim
