// Whether a sweeper is alive, without which nobody would thaw what we freeze.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "kube/api.h"

namespace snapfreeze::webhook {

// How often the leader's Lease is read; a leader renews it about as often.
inline constexpr Millis kLivenessInterval{2000};
// A leader that is told to end gives its Lease back, and the next one, who looks every 2 s, takes it.
inline constexpr Millis kHandover{5000};

// Judged as client-go judges a leader: not by the times in its Lease, which are another machine's, but by whether the
// Lease has changed within leaseDurationSeconds of our own clock. The first sight counts as a change. While leaders
// change places, for kHandover, a sweeper counts as alive: much shorter than when a leader dies. Thread-safe.
class Liveness {
 public:
  // `lease` as read by a request that was sent at `sent`. A failure to read says nothing, but that there is none
  // (kNotFound).
  void observe(const Result<Json>& lease, Mono sent);

  [[nodiscard]] bool alive(Mono now) const;

 private:
  struct Record {
    std::string holder;
    std::string renewed;  // as written: only compared
    std::int64_t transitions = 0;

    bool operator==(const Record&) const = default;
  };

  mutable std::mutex mutex_;
  std::optional<Record> record_;
  Mono until_{Mono::min()};  // alive
};

// Reads the leader's Lease once, within kLivenessInterval, and lets `liveness` observe it. What was read.
Result<Json> look_for_leader(kube::KubeApi& api, const Clock& clock, std::string_view own_namespace,
                             Liveness& liveness);

}  // namespace snapfreeze::webhook
