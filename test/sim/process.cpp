#include "test/sim/process.h"

namespace sim {

Process::Process(cluster::Cluster& cluster, const std::string& name, Record& record, Millis clock_offset)
    : own_clock_(cluster.runtime(), clock_offset),
      gate(cluster.runtime()),
      clock(own_clock_, gate),
      wire_(cluster, name),
      recorded_(cluster, wire_, name, record),
      gated_(recorded_, gate),
      api(gated_, server_time, clock, [this](std::string_view verb, int status) { metrics.api_called(verb, status); }),
      sessions(api, kOwnNamespace),
      fibers(cluster.runtime(), name) {}

}  // namespace sim
