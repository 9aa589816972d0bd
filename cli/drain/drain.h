// Prepares for the removal of snapfreeze: no session begins, and the sweeper ends those that are under way, with a
// verdict. An uninstall alone would take the sweeper's rights away in the middle of a backup. Its guest would then wait
// for its own timer, and its record would stay.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "freeze/session.h"
#include "kube/api.h"

namespace snapfreeze::cli {

struct Drain {
  enum class End {
    kDrained,      // no session is left, and none can begin
    kHeld,         // sessions are left when the time is over
    kUnreadable,   // nobody knows whether any is left
    kNotAllowed,   // we may not remove the registration, or not read sessions
    kInterrupted,  // by a signal
  };
  End end = End::kUnreadable;
  std::vector<freeze::Session> left;
  Error error;  // unless kDrained
};

// Removes the webhook's registration, and looks at the sessions once a second. It ends when there has been none for as
// long as an admission may last, since one could have begun before. Errors are retried until `patience` is over. `say`
// hears of each change, in words.
Drain drain(kube::KubeApi& api, Clock& clock, const std::string& system_namespace, Millis patience,
            const std::function<void(const std::string&)>& say);

}  // namespace snapfreeze::cli
