// What the API server's clock can be at most now: our own wall clock may be minutes away from it.
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

  // The server stamped the newest reply after it was sent, with a clock that cuts to whole seconds: so its clock now is
  // below Date + 1 s + (now - sent), however long the reply took. nullopt: no reply has come yet. Several API servers
  // and clocks that are stepped are the caller's margin.
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
