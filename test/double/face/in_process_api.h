// The double behind the product's KubeApi seam, without a socket: one object a program under test.
#pragma once

#include <memory>
#include <string>

#include "kube/api.h"
#include "test/double/cluster.h"

namespace cluster {

struct Network {
  Millis low{1}, high{3};  // a round trip, drawn per call
};

// Each call is carried out by a fiber of the server: it goes on when its caller gives up or is killed. Latency and
// waiting are blocking points of the caller.
class InProcessApi : public snapfreeze::kube::KubeApi {
 public:
  InProcessApi(Cluster& cluster, std::string caller, Network network = {})
      : cluster_(cluster), caller_(std::move(caller)), network_(network) {}

  snapfreeze::Result<snapfreeze::kube::Response> call(const snapfreeze::kube::Request& request) override;
  std::vector<snapfreeze::Result<snapfreeze::kube::Response>> call_all(
      std::span<const snapfreeze::kube::Request> requests) override;
  snapfreeze::Result<void> stream(const snapfreeze::kube::Request& request, Millis idle,
                                  const snapfreeze::kube::LineSink& sink) override;

 private:
  struct Exchange;
  struct Pipe;
  std::shared_ptr<Exchange> send(const snapfreeze::kube::Request& request);
  snapfreeze::Result<snapfreeze::kube::Response> await(const std::shared_ptr<Exchange>& exchange);
  HttpRequest http_request(const snapfreeze::kube::Request& request) const;
  snapfreeze::Result<void> read_lines(Pipe& pipe, Millis idle, const snapfreeze::kube::LineSink& sink);

  Cluster& cluster_;
  const std::string caller_;
  const Network network_;
};

}  // namespace cluster
