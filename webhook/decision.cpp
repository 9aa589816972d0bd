#include "webhook/decision.h"

#include <algorithm>

#include "freeze/names.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Hold;
using freeze::Phase;
using freeze::Session;
using Step = Decision::Step;
namespace reason = freeze::reason;

bool contains(const std::vector<std::string>& claims, std::string_view claim) {
  return std::ranges::find(claims, claim) != claims.end();
}

Decision no_freeze(freeze::Reason why) {
  return {Step::kCrash, why};
}

// Disks at rest, if they are this VM's own.
Decision decide_without_guest(const Facts& facts) {
  const auto& vm = facts.guest.vm;
  const auto& vmi = facts.guest.vmi;
  if ((vm && freeze::opted_out(vm->metadata)) || (vmi && freeze::opted_out(vmi->metadata))) {
    return no_freeze(reason::kSkipped);
  }
  // Its name came from the snapshot's creator, or the VM was deleted since.
  if (!vm && !vmi) return no_freeze(reason::kNoVm);
  const std::vector<std::string>& own = vm ? vm->claims : vmi->claims;
  if (!contains(own, facts.disk)) return no_freeze(reason::kNotItsDisk);
  return {Step::kOffline};
}

// By the latest possible time of the API server's own clock, so never more than there really is.
bool half_is_left(const Session& session, const std::optional<Wall>& server_clock) {
  if (!session.created || !server_clock) return false;
  return *session.created + session.timer - *server_clock >= session.timer / 2.0;
}

Decision decide_by_session(const Facts& facts, const kube::VmiView& vmi) {
  if (!facts.session) {
    const bool somebody_elses = facts.hold.kind == Hold::Kind::kLabel && vmi.reported_frozen();
    return somebody_elses ? Decision{Step::kAwaitReport} : Decision{Step::kBegin};
  }
  const Session& session = *facts.session;
  // The session did not freeze a disk that was plugged in since it began.
  const bool can_hold = freeze::is_frozen(session.phase) && session.vmi_uid == vmi.metadata.uid &&
                        session.has_disk(facts.disk) && session.holds.size() < kMaxHolds &&
                        half_is_left(session, facts.server_clock);
  return {can_hold ? Step::kAddHold : Step::kWait};
}

}  // namespace

bool covers(const std::optional<Session>& session, const Hold& hold) {
  return session && freeze::holds_guest(session->phase) && session->find_hold(hold) != nullptr;
}

bool of_present_backup(std::optional<Wall> created, std::optional<Wall> server_clock, std::chrono::seconds timer) {
  return !created || !server_clock || *server_clock - *created < timer;
}

std::optional<Decision> decide_early(const Hold& hold, std::string_view disk, const std::optional<Session>& session) {
  if (!session) return std::nullopt;
  if (session->phase == Phase::kResting) return no_freeze(reason::kCoolDown);
  if (!covers(session, hold)) return std::nullopt;
  if (!session->has_disk(disk)) return no_freeze(reason::kNotItsDisk);
  return Decision{freeze::is_frozen(session->phase) ? Step::kJoin : Step::kWait};
}

Decision decide_resting(const Facts& facts) {
  const auto decision = decide_by_guest(facts);
  return decision && decision->step == Step::kOffline ? *decision : no_freeze(reason::kCoolDown);
}

std::optional<Decision> decide_by_guest(const Facts& facts) {
  // Shut down from inside, or crashed: the instance stays, but nothing runs in it.
  if (!facts.guest.vmi || facts.guest.vmi->off()) return decide_without_guest(facts);
  const kube::VmiView& vmi = *facts.guest.vmi;
  if (const auto why = freeze::reason_not_to_freeze(vmi, facts.guest.vm)) return no_freeze(why);
  if (!contains(vmi.disks(), facts.disk)) return no_freeze(reason::kNotItsDisk);
  return std::nullopt;
}

Decision decide(const Facts& facts) {
  if (facts.exists) return no_freeze(reason::kDuplicate);
  if (facts.other_member) return no_freeze(reason::kLate);
  return decide_by_session(facts, *facts.guest.vmi);
}

}  // namespace snapfreeze::webhook
