#include "sweeper/arm.h"

#include "sweeper/thaw.h"

namespace snapfreeze::sweeper {
namespace {

constexpr Millis kPatience{1000};

}  // namespace

ArmDone arm(const Seams& seams, const ArmJob& job) {
  ArmDone done{ArmDone::End::kNotArmed, job.session, false, {}};
  if (!seams.leadership.leads_for(kPatience)) return done;
  const Mono until = seams.clock.monotonic() + kArmedFor;
  const auto written = seams.sessions.update(job.session, kPatience);
  if (written) return {ArmDone::End::kArmed, *written, false, until};
  if (written.error().code != Code::kConflict && written.error().code != Code::kNotFound) return done;
  ThawDone now = read_again(seams, job.session);
  if (now.end != ThawDone::End::kReplan) return done;
  return {ArmDone::End::kReplan, std::move(now.session), now.gone, {}};
}

}  // namespace snapfreeze::sweeper
