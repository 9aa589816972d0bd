// The addresses of the API server's host. getaddrinfo() cannot be bounded or stopped, so a look-up runs in a thread of
// its own, and only the wait for it has a limit. In a cluster the host is an IP address, and no thread is started.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "tls/stream.h"

namespace snapfreeze::kube {

// Thread-safe. The destructor waits for a look-up that is under way, as long as the system's resolver takes: some 10 s
// by default.
class Resolver {
 public:
  Resolver(std::string host, int port);

  // Looked up once and kept. kTransient: not found, or not in time. kCancelled: limit.stop_fd says so.
  Result<std::vector<tls::Address>> addresses(const tls::WaitLimit& limit);

  // None of them answered: the name may have moved.
  void forget();

 private:
  using Found = Result<std::vector<tls::Address>>;
  static Found look_up(const std::string& host, int port, int flags);

  const std::string host_;
  const int port_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<Found> found_;
  bool looking_ = false;
  std::jthread thread_;  // last, since it uses the rest
};

}  // namespace snapfreeze::kube
