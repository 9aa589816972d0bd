// Scenarios with the real program on a real control plane: etcd, kube-apiserver, its controllers, the snapshot
// controllers and test/real/rig, under the rights of the chart. A control plane serves one scenario at a time,
// each in namespaces of its own.
#pragma once

#include <memory>
#include <set>

#include "test/scenarios/runner/control_plane.h"
#include "test/scenarios/runner/process_system.h"

namespace runner {

class ClusterSystem : public ProcessSystem {
 public:
  ClusterSystem(ControlPlanes& planes, std::string snapfreeze) : planes_(planes), snapfreeze_(std::move(snapfreeze)) {}
  ~ClusterSystem() override;

  // The scenario as this level plays it: in namespaces that no other run uses, with as many sweepers as the chart
  // installs, and with bounds that allow for the real controllers.
  [[nodiscard]] static Scenario adapted(const Scenario& scenario);

  [[nodiscard]] std::string cannot_run(const Scenario& scenario) const override;
  // The snapshot controller retries after conflicts, and reports up to a second late what the content says.
  [[nodiscard]] Millis slack() const override { return Millis(3000); }
  [[nodiscard]] Millis webhook_timeout() const override { return webhook_timeout_; }
  void start(const Scenario& scenario) override;
  void happen(const Event& event) override;

 protected:
  Json control(const std::string& method, const std::string& path, const Json& body) override;
  snapfreeze::kube::Response call(const std::string& user, const std::string& method, const std::string& target,
                                  const Json& body) override {
    return clients_.call(user, method, target, body);
  }
  // Only what is in the scenario's namespaces, or in our own.
  Json items(const std::string& collection) override;
  Processes& own() override { return *processes_; }
  [[nodiscard]] std::string longhorn_url() const override { return last_line(plane_->file("longhorn.url")); }
  void hang_at_call(const std::string& name, const Event& event) override;
  void kill_at_call(const std::string& name, int call, std::optional<Millis> back_after) override;
  [[nodiscard]] std::string own_namespace() const override { return "snapfreeze-system"; }

 private:
  void expect_success(const snapfreeze::kube::Response& reply, const std::string& what) const;
  void register_webhooks();

  ControlPlanes& planes_;
  const std::string snapfreeze_;
  std::shared_ptr<ControlPlane> plane_;
  ApiClients clients_;
  std::unique_ptr<Processes> processes_;
  std::set<std::string> namespaces_;  // of the scenario
  int admission_rounds_ = 1;
  Millis webhook_timeout_{};  // the chart's
};

}  // namespace runner
