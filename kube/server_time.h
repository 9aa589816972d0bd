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
  void observe(const Response& response, Mono now);

  // The server stamped the newest reply after the request was sent, with a clock truncated to seconds. So its clock is
  // now below Date + 1 s + (now - sent), however long the reply took. nullopt: no reply has come yet. The caller's
  // margin must allow for several API servers and for stepped clocks.
  [[nodiscard]] std::optional<Wall> upper_bound(Mono now) const;

  // The same if a clock that was set back up to kRemembered ago had not been.
  [[nodiscard]] std::optional<Wall> bound_if_not_set_back(Mono now) const;

  // Of these two, the bound for the age of what that server has stamped: the second, unless that made the age more than
  // kRemembered. What was stamped after such a step seems older than it is.
  [[nodiscard]] static Wall bound_for_age(Wall bound, Wall if_not_set_back, Wall stamped);
  [[nodiscard]] std::optional<Wall> bound_for_age(Mono now, Wall stamped) const;

  // Longer than any guest is frozen, and than a watch may lag (kube/watcher.h).
  static constexpr std::chrono::minutes kRemembered{3};

 private:
  static constexpr std::chrono::seconds kResolution{1};  // of a Date
  struct Stamp {
    Wall date;
    Mono sent;
    Mono received;
    // The server's clock, as long as nobody sets it, is at least this, and below that.
    [[nodiscard]] Wall least(Mono now) const { return date + (now - received); }
    [[nodiscard]] Wall bound(Mono now) const { return date + kResolution + (now - sent); }
  };
  mutable std::mutex mutex_;
  std::optional<Stamp> newest_;
  std::optional<Stamp> before_step_;  // the newest that no later one contradicts; no older than kRemembered
};

}  // namespace snapfreeze::kube
