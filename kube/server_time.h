// An upper bound of the API server's clock. Our own wall clock may be minutes off.
#pragma once

#include <mutex>
#include <optional>

#include "kube/api.h"

namespace snapfreeze::kube {

// Thread-safe.
class ServerTime {
 public:
  // A reply without a Date says nothing.
  void observe(const Response& response);

  // The server stamped the newest reply after the request was sent, with a clock truncated to seconds. So its clock is
  // now below Date + 1 s + (now - sent), however long the reply took. nullopt: no reply has come yet. The caller's
  // margin must allow for several API servers and for stepped clocks.
  [[nodiscard]] std::optional<Wall> upper_bound(Mono now) const;

 private:
  struct Stamp {
    Wall date;
    Mono sent;
  };
  mutable std::mutex mutex_;
  std::optional<Stamp> newest_;
};

}  // namespace snapfreeze::kube
