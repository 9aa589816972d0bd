#include "test/sim/process.h"

namespace runner {

SimProcess::SimProcess(cluster::Cluster& cluster, const std::string& name, Millis clock_offset)
    : own_clock_(cluster.runtime(), clock_offset),
      gate_(cluster.runtime()),
      clock_(own_clock_, gate_),
      wire_(cluster, name),
      gated_(wire_, gate_),
      api_(gated_, server_time_, [this](std::string_view verb, int status) { metrics_.api_called(verb, status); }),
      sessions_(api_, kOwnNamespace),
      process_(cluster.runtime(), name) {}

}  // namespace runner
