#include "sweeper/open.h"

#include "base/log.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/views.h"

namespace snapfreeze::sweeper {

OpenDone open(const Seams& seams, const OpenJob& job) {
  freeze::Session session = job.session;
  if (job.rescue) {
    const auto object =
        kube::get(seams.api, kube::object_path(kube::kVirtualMachineInstances, session.namespace_, session.vm));
    if (!object) return {object.error().code != Code::kNotFound};
    const auto vmi = kube::VmiView::from(*object);
    if (vmi.metadata.uid != session.vmi_uid || !vmi.running() || !vmi.reported_frozen()) return {};
    session.windows = vmi.windows();
  }
  if (!seams.leadership.leads_for(kube::kCallTimeout)) return {true};
  const auto created = seams.sessions.create(session);
  // Of two, the one that came first is thawed.
  if (!created && created.error().code == Code::kConflict) return {};
  const log::Fields about = {{"namespace", session.namespace_}, {"name", session.vm}};
  if (!created) {
    log::warning("session not written",
                 {{"namespace", session.namespace_}, {"name", session.vm}, {"error", created.error().message}});
    return {true};
  }
  log::warning(job.rescue ? "guest left frozen by another program" : "session deleted by somebody", about);
  return {};
}

}  // namespace snapfreeze::sweeper
