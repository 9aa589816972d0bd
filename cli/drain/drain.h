// Before snapfreeze is removed: nothing new begins, and what is under way ends well, by the sweeper's hand and with a
// verdict. An uninstall alone would take the sweeper's rights away in the middle of a backup, whose guest then waits
// for its own timer, and whose record stays.
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
    kHeld,         // sessions are left after all the time
    kUnreadable,   // whether any is left cannot be read
    kNotAllowed,   // we may not take the registration away, or not read sessions
    kInterrupted,  // by a signal
  };
  End end = End::kUnreadable;
  std::vector<freeze::Session> left;
  Error error;  // unless it is drained
};

// Takes the webhook's registration away, and looks at the sessions once a second until there has been none for as long
// as an admission may last, which could have begun before. Errors are tried again until `patience` is over. `say` hears
// of each change, in words.
Drain drain(kube::KubeApi& api, Clock& clock, const std::string& system_namespace, Millis patience,
            const std::function<void(const std::string&)>& say);

}  // namespace snapfreeze::cli
