// What each of snapfreeze's processes has in the simulation: fibers, a clock of its own, and the API under its own
// name.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "freeze/session_store.h"
#include "kube/observing_api.h"
#include "test/double/face/in_process_api.h"
#include "test/sim/gate.h"
#include "test/sim/record.h"

namespace sim {

inline constexpr char kOwnNamespace[] = "snapfreeze";

// Also for a test that runs a part of the product on its own. One with fibers must be killed, and its fibers be given a
// moment to end, before it is destroyed. Record and cluster outlive it.
class Process {
 public:
  // `clock_offset`: how far this machine's wall clock is off the cluster's.
  Process(cluster::Cluster& cluster, const std::string& name, Record& record, Millis clock_offset = Millis(0));
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] const std::string& name() const { return fibers.name(); }
  void kill() { fibers.kill(); }  // as kill -9
  // As SIGTERM: it ends by itself, soon; one without more at once.
  virtual void terminate() { kill(); }

 protected:
  // Every wait by `clock` ends from now on.
  void stop_clock() { own_clock_.stop(); }

 private:
  cluster::SimClock own_clock_;

 public:
  Gate gate;
  GatedClock clock;

 private:
  cluster::InProcessApi wire_;
  RecordingApi recorded_;
  GatedApi gated_;

 public:
  snapfreeze::kube::ServerTime server_time;
  snapfreeze::Metrics metrics;
  snapfreeze::kube::ObservingApi api;
  snapfreeze::freeze::SessionStore sessions;
  cluster::Process fibers;
};

}  // namespace sim
