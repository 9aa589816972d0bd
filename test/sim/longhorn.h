// Longhorn's own REST API as one process of the simulation reaches it: behind the product's seam, without a socket.
#pragma once

#include "sweeper/longhorn/api.h"
#include "test/double/cluster.h"
#include "test/sim/gate.h"

namespace sim {

// Waiting is a blocking point of the caller. A call goes on at Longhorn's side when its caller gives up or is killed. A
// stopped process asks nothing, and no answer reaches it.
class Longhorn : public snapfreeze::sweeper::LonghornApi {
 public:
  Longhorn(cluster::Cluster& cluster, Gate& gate) : cluster_(cluster), gate_(gate) {}

  snapfreeze::Result<snapfreeze::sweeper::HttpAnswer> post(const std::string& path_and_query, const std::string& body,
                                                           Millis timeout) override;
  // From now on it is not asked.
  void stop() { stopped_ = true; }

 private:
  struct Exchange;

  cluster::Cluster& cluster_;
  Gate& gate_;
  bool stopped_ = false;
};

}  // namespace sim
