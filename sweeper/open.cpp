#include "sweeper/open.h"

#include <algorithm>

#include "base/log.h"
#include "kube/rest.h"
#include "sweeper/look.h"

namespace snapfreeze::sweeper {

namespace {

enum class Rescue { kNeeded, kNotNeeded, kUnknown };

// Reads afresh whether the guest still reports frozen, and is held by neither a snapshot nor a backup of KubeVirt's
// own. At their end they thaw it, and a guest may take its time.
Rescue look_before_rescue(const Seams& seams, freeze::Session& session, Wall thaw_due) {
  LookJob wanted;
  wanted.namespace_ = session.namespace_;
  wanted.vms.emplace(session.vm, "");
  const auto found = look(seams, wanted);
  if (!found->error.empty()) return Rescue::kUnknown;
  const auto vmi = found->guest(session.vm);
  if (!vmi || vmi->metadata.uid != session.vmi_uid || !vmi->running() || !vmi->reported_frozen()) {
    return Rescue::kNotNeeded;
  }
  const bool held = std::any_of(found->kubevirt.begin(), found->kubevirt.end(), [&](const freeze::Freezer& freezer) {
    return !freezer.over || (freezer.ended && *freezer.ended >= thaw_due);
  });
  session.windows = vmi->windows();
  return held ? Rescue::kNotNeeded : Rescue::kNeeded;
}

// If there is a session that we do not know, because somebody has removed its label, no watch would ever show it.
bool find_again(const Seams& seams, const freeze::Session& wanted) {
  const auto there = seams.sessions.read(wanted.namespace_, wanted.vm);
  if (!there) return false;
  if (!*there || (*there)->listed) return true;
  log::warning("session has lost its label", {{"namespace", wanted.namespace_}, {"name", wanted.vm}});
  return seams.sessions.update(**there).ok();
}

}  // namespace

OpenDone open(const Seams& seams, const OpenJob& job) {
  freeze::Session session = job.session;
  if (job.kind == OpenJob::Kind::kRescue) {
    const Rescue rescue = look_before_rescue(seams, session, job.thaw_due);
    if (rescue != Rescue::kNeeded) return {rescue == Rescue::kUnknown};
  }
  if (!seams.leadership.leads_for(kube::kCallTimeout)) return {true};
  if (job.kind == OpenJob::Kind::kFindAgain) return {!find_again(seams, session)};
  const auto created = seams.sessions.create(session);
  // If there are two, the one that came first is thawed.
  if (!created && created.error().code == Code::kConflict) return {!find_again(seams, session)};
  const log::Fields about = {{"namespace", session.namespace_}, {"name", session.vm}};
  if (!created) {
    log::warning("session not written",
                 {{"namespace", session.namespace_}, {"name", session.vm}, {"error", created.error().message}});
    return {true};
  }
  log::warning(
      job.kind == OpenJob::Kind::kRescue ? "guest left frozen by another program" : "session deleted by somebody",
      about);
  return {};
}

}  // namespace snapfreeze::sweeper
