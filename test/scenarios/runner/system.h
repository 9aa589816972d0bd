// One level on which scenarios run: virtual time, processes on loopback, or a cluster.
#pragma once

#include <map>
#include <string>

#include "test/scenarios/runner/observed.h"
#include "test/scenarios/runner/scenario.h"

namespace runner {

// Throws std::runtime_error when the level itself fails, which is a failed scenario.
class System {
 public:
  virtual ~System() = default;

  // Why this level cannot run the scenario, or "".
  [[nodiscard]] virtual std::string cannot_run(const Scenario& scenario) const = 0;

  // The time that real processes need on top of the times of a file.
  [[nodiscard]] virtual Millis slack() const = 0;

  // When the API server gives up on our webhook: by default, unless its registration says so, after 10 s.
  [[nodiscard]] virtual Millis webhook_timeout() const { return Millis(10000); }

  // How often the system is observed. Observing must cost so little that it does not disturb the system.
  [[nodiscard]] virtual Millis look_every() const = 0;

  // Cluster, VMs and snapfreeze are up when it returns. This is the scenario's start.
  virtual void start(const Scenario& scenario) = 0;

  virtual void wait_until(Since time) = 0;

  // Return at once; what they begin continues.
  virtual void begin(const Backup& backup) = 0;
  virtual void begin(const Snapshot& snapshot) = 0;
  virtual void begin(const Pod& pod) = 0;
  virtual void end(const Pod& pod) = 0;
  virtual void happen(const Event& event) = 0;

  virtual Observed look() = 0;

  // Calls to the API server so far, watches included, by process: "webhook-1", ...
  virtual std::map<std::string, int> calls() = 0;
};

}  // namespace runner
