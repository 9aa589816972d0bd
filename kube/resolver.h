// The addresses of a server's host. A look-up can be neither bounded nor stopped, so it runs in a thread of its own
// that nobody waits for; only the callers' wait has a limit. If the host is an IP address, as that of the API server in
// a cluster is, no thread is started.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "tls/address.h"
#include "tls/stream.h"

namespace snapfreeze::kube {

// Thread-safe.
class Resolver {
 public:
  Resolver(std::string host, int port);

  // At least one; looked up once and kept. kTransient: not found, or not in time. kCancelled: limit.stop_fd says so.
  Result<std::vector<tls::Address>> addresses(const tls::WaitLimit& limit);

  // None of them answered: the name may have moved.
  void forget();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace snapfreeze::kube
