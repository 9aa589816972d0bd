// Whether a sweeper is alive. Without one, nobody would thaw the guests that we freeze.
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

// How often the leader's Lease is read. A leader renews it about as often.
inline constexpr Millis kLivenessInterval{2000};
// A leader that is told to stop gives its Lease back. The next one looks every 2 s, and takes it.
inline constexpr Millis kHandover{5000};

// Judged as client-go judges a leader: not by the times in its Lease, which are another machine's, but by whether the
// Lease has changed within leaseDurationSeconds by our own clock. The first sight counts as a change. During a handover
// a sweeper counts as alive for kHandover, which is much shorter than the wait after a leader has died. Thread-safe.
class Liveness {
 public:
  // `lease` is the answer to a request that was sent at `sent`. An error says nothing, except kNotFound: there is none.
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
