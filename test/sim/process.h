// What each of snapfreeze's processes has in the simulation: fibers, a clock of its own, the API under its own name.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "freeze/session_store.h"
#include "kube/observing_api.h"
#include "test/double/face/in_process_api.h"
#include "test/scenarios/runner/controlled_system.h"
#include "test/sim/gate.h"

namespace runner {

// Before it is destroyed it must be killed and its fibers be given a moment to end.
class SimProcess {
 public:
  SimProcess(cluster::Cluster& cluster, const std::string& name, Millis clock_offset);
  virtual ~SimProcess() = default;

  [[nodiscard]] const std::string& name() const { return process_.name(); }
  void kill() { process_.kill(); }  // as kill -9
  void hang() { gate_.close(); }
  void go_on() { gate_.open(); }
  // Just before its n-th call from now on leaves, or after it was carried out.
  void hang_at_call(int nth, bool before, Millis lasts) { gate_.close_at_call(nth, before, lasts); }

 protected:
  cluster::SimClock own_clock_;
  Gate gate_;
  GatedClock clock_;
  cluster::InProcessApi wire_;
  GatedApi gated_;
  snapfreeze::kube::ServerTime server_time_;
  snapfreeze::kube::ObservingApi api_;
  snapfreeze::freeze::SessionStore sessions_;
  snapfreeze::Metrics metrics_;
  cluster::Process process_;
};

}  // namespace runner
