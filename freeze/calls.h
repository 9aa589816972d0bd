// The two calls to a guest, through virt-api, and what their replies prove (KubeVirt 1.6 to 1.9).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "kube/api.h"

namespace snapfreeze::freeze {

// virt-api gives up on the launcher after 10 s, so it is useless to wait longer for its reply.
inline constexpr Millis kCallLimit{10000};

enum class FreezeOutcome {
  kFrozen,   // answered success: frozen, on a timer that may be somebody else's
  kRefused,  // answered 4xx, or not sent: nothing was or will be done
  kUnknown,  // failed or unanswered: may be frozen, now or up to kLateCalls later, and has no timer
};

enum class ThawOutcome {
  kThawed,   // answered success. Does not prove that the guest was frozen until then
  kLapsed,   // thawed, but Windows' VSS had already given up at 10 s: final, and not consistent
  kRefused,  // answered 4xx (no such guest, not running, not permitted), or not sent. Nothing was or will be done
  kUnknown,  // failed or unanswered: ask again
};

template <class Outcome>
struct Answer {
  Outcome outcome;
  std::string message;  // of the error; "" on success
  int http_status = 0;  // 0: no reply
};

using FreezeAnswer = Answer<FreezeOutcome>;
using ThawAnswer = Answer<ThawOutcome>;

// `timer` is at least 1 s. The intent must be on record (freeze/session.h) before either call. Nothing is sent after
// `send_by` (kube::Request::send_by), because a process that was stopped since the intent must not act on it. A call
// that was not sent is kRefused.
FreezeAnswer freeze(kube::KubeApi& api, std::string_view ns, std::string_view vm, std::chrono::seconds timer,
                    Millis timeout = kCallLimit, Mono send_by = Mono::max());
ThawAnswer unfreeze(kube::KubeApi& api, std::string_view ns, std::string_view vm, Millis timeout = kCallLimit,
                    Mono send_by = Mono::max());

// The two halves of an unfreeze, for KubeApi::call_all.
[[nodiscard]] kube::Request unfreeze_request(std::string_view ns, std::string_view vm, Millis timeout, Mono send_by);
ThawAnswer thaw_answer(const Result<kube::Response>& reply);

}  // namespace snapfreeze::freeze
