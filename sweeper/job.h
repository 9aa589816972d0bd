// What the sweeper has to do, as values: a job, and what became of it.
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <variant>

#include "sweeper/arm.h"
#include "sweeper/conclude.h"
#include "sweeper/end_rest.h"
#include "sweeper/judge_stray.h"
#include "sweeper/longhorn/ask.h"
#include "sweeper/look.h"
#include "sweeper/open.h"
#include "sweeper/thaw.h"

namespace snapfreeze::sweeper {

struct Job {
  // What it is about; `id` is the uid of a session or snapshot, a guest's key, or a namespace.
  struct Key {
    enum class About { kSession, kLostSession, kSnapshot, kFrozenGuest, kNamespace, kLonghorn };
    About about = About::kSession;
    std::string id;
    auto operator<=>(const Key&) const = default;
  };
  Key key;
  std::variant<ThawJob, ArmJob, ConcludeJob, EndRestJob, OpenJob, StrayJob, LookJob, AskJob> what;
  bool again = false;  // it has failed before

  // kThaw: a guest waits for it, and it has not failed before.
  enum class Lane { kThaw, kThawAgain, kOther, kAsk };
  [[nodiscard]] Lane lane() const {
    if (std::holds_alternative<AskJob>(what)) return Lane::kAsk;
    // The thaw may come while its session is being armed, and then waits for that.
    const bool thaws = std::holds_alternative<ThawJob>(what) || std::holds_alternative<ArmJob>(what) ||
                       std::holds_alternative<OpenJob>(what);
    if (thaws) return again ? Lane::kThawAgain : Lane::kThaw;
    // Its last thaw may be the one that ends a freeze that came late.
    const auto* rest = std::get_if<EndRestJob>(&what);
    return rest != nullptr && rest->session.unsettled ? Lane::kThawAgain : Lane::kOther;
  }
};

struct Outcome {
  Job::Key key;
  std::variant<ThawDone, ArmDone, ConcludeDone, EndRestDone, OpenDone, StrayDone, std::shared_ptr<const Look>, AskDone>
      what;
};

}  // namespace snapfreeze::sweeper
