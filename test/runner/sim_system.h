// Scenarios in virtual time: the real logic of webhooks and sweepers against the in-memory cluster, one step at a time,
// in an order drawn by seed. One seed, one run.
#pragma once

#include <map>
#include <memory>

#include "test/cluster/cluster.h"
#include "test/cluster/runtime_sim.h"
#include "test/runner/sim_process.h"
#include "test/runner/sim_webhook.h"
#include "test/runner/system.h"

namespace runner {

class SimSystem : public System {
 public:
  explicit SimSystem(std::uint64_t seed) : runtime_(seed) {}
  ~SimSystem() override;

  [[nodiscard]] std::string cannot_run(const Scenario&) const override { return ""; }
  [[nodiscard]] Millis slack() const override { return Millis(0); }
  void start(const Scenario& scenario) override;
  void wait_until(Since time) override { runtime_.sleep_until(start_ + time); }
  void begin(const Backup& backup) override;
  void begin(const Snapshot& snapshot) override;
  void happen(const Event& event) override;
  Observed look() override;
  std::map<std::string, int> calls() override;

 private:
  void set_up_cluster();
  void start_process(const std::string& name);
  void kill_process(const std::string& name, std::optional<Millis> back_after);
  std::vector<std::string> processes(const std::string& target) const;
  std::vector<std::string> callers(const std::string& by) const;
  void register_replicas();
  void fault(const Event& event, cluster::FaultKind kind, const std::string& verb);
  void guest_fault(const Event& event, const std::string& operation);
  void end_watches(const std::string& how, int times);
  void kill(const Event& event);
  void hang(const Event& event);
  void delete_object(const std::string& collection, const std::string& ns, const std::string& name);
  [[nodiscard]] std::string namespace_of(const std::string& vm) const { return scenario_.find_vm(vm)->namespace_; }
  [[nodiscard]] std::string snapshot_of(const Event& event) const;

  cluster::SimRuntime runtime_;
  std::unique_ptr<cluster::Cluster> cluster_ = std::make_unique<cluster::Cluster>(runtime_);
  Scenario scenario_;
  cluster::Mono start_{};
  std::map<std::string, std::optional<Millis>> back_after_;       // of processes that are to be killed at a call
  std::map<std::string, std::shared_ptr<SimProcess>> processes_;  // the latest of each name
  std::vector<std::shared_ptr<SimProcess>> buried_;
  std::map<std::string, std::shared_ptr<cluster::AdmissionTransport>> replicas_;
};

}  // namespace runner
