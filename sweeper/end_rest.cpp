#include "sweeper/end_rest.h"

#include "base/log.h"
#include "kube/paths.h"
#include "sweeper/thaw.h"
#include "sweeper/write_event.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Session;

EndRestDone rested(EndRestDone::End end, Session session, bool gone = false) {
  return {end, std::move(session), gone};
}

EndRestDone remove(const Seams& seams, const Session& session) {
  const auto removed = seams.sessions.remove(session);
  if (removed || removed.error().code == Code::kNotFound) return rested(EndRestDone::End::kEnded, session);
  if (removed.error().code != Code::kConflict) return rested(EndRestDone::End::kFailed, session);
  ThawDone now = read_again(seams, session);
  if (now.end != ThawDone::End::kReplan) return rested(EndRestDone::End::kFailed, session);
  return rested(EndRestDone::End::kReplan, std::move(now.session), now.gone);
}

}  // namespace

void say_never_settled(const Seams& seams, const Settings& settings, const Session& session) {
  log::error("guest never confirmed to be thawed", {{"namespace", session.namespace_}, {"name", session.vm}});
  const Target about{&kube::kVirtualMachineInstances, session.namespace_, session.vm, session.vmi_uid};
  (void)write_event(seams, settings.identity, about, {session.uid + ".unsettled", freeze::words_of_unsettled_thaw()});
}

EndRestDone end_rest(const Seams& seams, const Settings& settings, const EndRestJob& job) {
  if (!job.session.unsettled) return remove(seams, job.session);
  if (job.abandoned) {
    say_never_settled(seams, settings, job.session);
    return remove(seams, job.session);
  }
  const ThawDone done = thaw(seams, {job.session, false, false, std::nullopt, std::nullopt});
  switch (done.end) {
    case ThawDone::End::kSettled:
      return remove(seams, done.session);
    case ThawDone::End::kUnsettled:
    case ThawDone::End::kRefused:
      return rested(EndRestDone::End::kUnsettled, done.session);
    case ThawDone::End::kReplan:
      return rested(EndRestDone::End::kReplan, done.session, done.gone);
    case ThawDone::End::kNotMade:
    case ThawDone::End::kUnrecorded:
      break;
  }
  return rested(EndRestDone::End::kFailed, done.session);
}

}  // namespace snapfreeze::sweeper
