// The connections to one API server: new ones, and those kept between calls, as a TLS handshake costs more than a call.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/config.h"
#include "kube/resolver.h"
#include "tls/stream.h"

namespace snapfreeze::kube {

using Connection = std::unique_ptr<tls::Stream>;

// Thread-safe.
class ConnectionPool {
 public:
  // Go's servers close idle connections after minutes; some balancers close them earlier, and silently.
  static constexpr std::chrono::seconds kMaxIdle{30};

  ConnectionPool(const Config& config, tls::Context context, std::size_t max_kept);

  // Tries the host's addresses in turn. Errors are those of Resolver and tls::Stream.
  Result<Connection> connect(const tls::WaitLimit& limit);

  // The kept connection that was used last, or null. It was alive a moment ago, but may be closed by now.
  Connection take();
  void keep(Connection connection);
  void clear();

 private:
  struct Kept {
    Connection connection;
    Mono since;
  };

  const tls::Context context_;
  Resolver resolver_;
  const std::string verify_name_;
  const std::size_t max_kept_;
  std::mutex mutex_;
  std::vector<Kept> kept_;  // the longest kept first
};

}  // namespace snapfreeze::kube
