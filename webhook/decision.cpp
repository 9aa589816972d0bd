#include "webhook/decision.h"

#include "freeze/names.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Hold;
using freeze::Phase;
using freeze::Session;
using Step = Decision::Step;
namespace reason = freeze::reason;

Decision crash(std::string_view why) {
  return {Step::kCrash, why};
}

Decision decide_without_guest(const Facts& facts) {
  const auto& vm = facts.guest.vm;
  if (vm && freeze::opted_out(vm->metadata)) return crash(reason::kSkipped);
  // The name came from the snapshot's creator: a slip of theirs must not make a running guest's disk "offline".
  if (facts.hold.kind == Hold::Kind::kLabel && !vm) return crash(reason::kNoVm);
  return {Step::kOffline};
}

// By the API server's own clock, and at its latest possible present: so never more than there really is.
bool half_is_left(const Session& session, const std::optional<Wall>& server_clock) {
  if (!session.created || !server_clock) return false;
  return *session.created + session.timer - *server_clock >= session.timer / 2.0;
}

Decision decide_by_session(const Facts& facts, const kube::VmiView& vmi) {
  if (!facts.session) {
    const bool somebody_elses = facts.hold.kind == Hold::Kind::kLabel && vmi.reported_frozen();
    return somebody_elses ? crash(reason::kFrozenByOther) : Decision{Step::kBegin};
  }
  const Session& session = *facts.session;
  const bool can_hold = session.phase == Phase::kFrozen && session.vmi_uid == vmi.metadata.uid &&
                        half_is_left(session, facts.server_clock);
  return {can_hold ? Step::kAddHold : Step::kWait};
}

}  // namespace

bool covers(const std::optional<Session>& session, const Hold& hold) {
  return session && (session->phase == Phase::kFreezing || session->phase == Phase::kFrozen) &&
         session->find_hold(hold) != nullptr;
}

std::optional<Decision> decide_early(const Hold& hold, const std::optional<Session>& session) {
  if (!session) return std::nullopt;
  if (session->phase == Phase::kResting) return crash(reason::kCoolDown);
  if (!covers(session, hold)) return std::nullopt;
  return Decision{session->phase == Phase::kFrozen ? Step::kJoin : Step::kWait};
}

Decision decide(const Facts& facts) {
  if (!facts.guest.vmi) return decide_without_guest(facts);
  const kube::VmiView& vmi = *facts.guest.vmi;
  if (const auto why = freeze::reason_not_to_freeze(vmi, facts.guest.vm); !why.empty()) return crash(why);
  if (facts.exists) {
    const bool harvester_froze = facts.hold.kind == Hold::Kind::kHarvester;
    return {harvester_froze && !facts.session ? Step::kUndo : Step::kCrash, reason::kDuplicate};
  }
  if (facts.other_member) return crash(reason::kLate);
  return decide_by_session(facts, vmi);
}

}  // namespace snapfreeze::webhook
