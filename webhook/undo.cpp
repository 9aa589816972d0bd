#include "webhook/undo.h"

#include <algorithm>
#include <utility>

#include "freeze/guest.h"
#include "freeze/names.h"

namespace snapfreeze::webhook {
namespace {

using freeze::Intent;
using freeze::Phase;
using freeze::Session;
namespace reason = freeze::reason;

bool has_doubt(const Session& session, freeze::Reason doubt) {
  return std::ranges::find(session.doubts, doubt) != session.doubts.end();
}

// Whether the guest will be thawed for `wanted` without any further write.
bool says_it_all(const Session& there, const Session& wanted) {
  const bool thaws_again = there.intent.call == Intent::Call::kFreeze;
  return there.phase == Phase::kThawing && (there.unsettled || !wanted.unsettled) &&
         (thaws_again || wanted.intent.call != Intent::Call::kFreeze) && there.vmi_uid == wanted.vmi_uid &&
         std::ranges::all_of(wanted.doubts, [&](freeze::Reason doubt) { return has_doubt(there, doubt); });
}

// Makes it thaw again, because of what was done to a guest for `wanted`. That may have been restarted since.
void take_back(Session& there, const Session& wanted) {
  const Intent& intent = wanted.intent;
  if (there.vmi_uid != wanted.vmi_uid) {
    there.doubt(reason::kRestarted);
    there.vmi_uid = wanted.vmi_uid;
  }
  if (there.phase == Phase::kResting) {
    // Its verdicts are given and must not change, so from now on it only undoes. A guest that must rest still must,
    // from the next thaw on.
    if (!there.only_undoes()) there.doubts.insert(there.doubts.begin(), reason::kUndone);
    there.unsettled = true;
  }
  there.phase = Phase::kThawing;
  if (intent.call != Intent::Call::kNone) there.intent = intent;
}

// What `there` must become so that the guest is thawed for `wanted`.
Session thawing(Session there, const Session& wanted) {
  take_back(there, wanted);
  there.unsettled = there.unsettled || wanted.unsettled;
  for (const freeze::Reason doubt : wanted.doubts) there.doubt(doubt);
  return there;
}

Result<Session> write(const Seams& seams, const Session& session, const Budget& budget) {
  return session.uid.empty() ? seams.sessions.create(session, budget.for_call())
                             : seams.sessions.update(session, budget.for_call());
}

}  // namespace

void leave_thawing(const Seams& seams, Session session, const Budget& budget) {
  session.phase = Phase::kThawing;
  for (Backoff backoff;;) {
    if (write(seams, session, budget)) return;
    const auto there = seams.sessions.read(session.namespace_, session.vm, budget.for_call());
    if (there && *there) {
      if (says_it_all(**there, session)) return;
      session = thawing(**there, session);
    } else if (there) {
      session.uid.clear();
    }
    if (!backoff.wait(seams.clock, budget)) return;
  }
}

std::optional<kube::VmiView> guest_to_undo(const Seams& seams, const Subject& subject, Permission& permission,
                                           const Budget& budget) {
  freeze::Guest guest;
  for (Backoff backoff; !read_guest(seams.api, subject, budget.for_call(), &permission, guest);) {
    if (!backoff.wait(seams.clock, budget)) return std::nullopt;
  }
  if (permission.given != true || !guest.vmi || !guest.vmi->running()) return std::nullopt;
  if (freeze::reason_not_to_freeze(*guest.vmi, guest.vm) == reason::kSkipped) return std::nullopt;
  if (freeze::kubevirt_freezes(*guest.vmi, guest.vm)) return std::nullopt;
  return std::move(guest.vmi);
}

void undo_harvesters_freeze(const Seams& seams, Session undoing, const Budget& budget) {
  undoing.phase = Phase::kThawing;
  undoing.intent = {Intent::Call::kFreeze, undoing.holder};
  undoing.doubts = {reason::kUndone};
  for (Backoff backoff;;) {
    auto there = seams.sessions.read(undoing.namespace_, undoing.vm, budget.for_call());
    if (there) {
      Session wanted = undoing;
      if (*there) {
        const bool held = freeze::holds_guest((*there)->phase);
        const bool noted = (*there)->phase == Phase::kThawing && (*there)->intent.call == Intent::Call::kFreeze;
        if ((held || noted) && (*there)->vmi_uid == undoing.vmi_uid) return;
        wanted = std::move(**there);
        take_back(wanted, undoing);
      }
      if (write(seams, wanted, budget)) return;
    }
    if (!backoff.wait(seams.clock, budget)) return;
  }
}

}  // namespace snapfreeze::webhook
