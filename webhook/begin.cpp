#include "webhook/begin.h"

#include <algorithm>

#include "freeze/calls.h"
#include "freeze/names.h"

namespace snapfreeze::webhook {
namespace {

using freeze::FreezeOutcome;
using freeze::Hold;
using freeze::Phase;
using freeze::Session;
using freeze::ThawOutcome;
using End = Began::End;
namespace reason = freeze::reason;

// Kept off the time-out of a call to the guest, to write down what became of it.
constexpr Millis kForTheRecord{500};
// Harvester's shortest timer is 1 s and starts up to 0.1 s before the request arrives: later it may fire into our
// begin.
constexpr Millis kHarvesterTimerSafe{500};

Millis for_guest_call(const Budget& budget) {
  return std::min(freeze::kCallLimit, budget.left() - kForTheRecord);
}

Began failed(std::string_view why, std::string error = "") {
  return {End::kFailed, {}, why, std::move(error)};
}

Began give_up(const Seams& seams, Session session, const Budget& budget, std::string_view doubt, bool unsettled,
              Began answer) {
  session.doubt(doubt);
  if (unsettled) {
    session.unsettled = true;
  } else {
    session.intent = {};
  }
  leave_thawing(seams, std::move(session), budget);
  return answer;
}

Began out_of_time(const Seams& seams, Session session, const Budget& budget) {
  return give_up(seams, std::move(session), budget, reason::kAbandoned, false, failed(reason::kNoTime));
}

// nullopt: the session is there, and ours. A create whose reply was lost or is an error of the server may have been
// carried out.
std::optional<Began> create(const Seams& seams, Session& session, const Budget& budget) {
  auto created = seams.sessions.create(session, budget.for_call());
  if (created) {
    session = std::move(*created);
    return std::nullopt;
  }
  const Began lost_race{End::kLostRace, {}, "", ""};
  const Error& error = created.error();
  if (error.code == Code::kConflict) return lost_race;
  if (error.code != Code::kTransient) return failed(reason::kApiError, error.message);
  auto there = seams.sessions.read(session.namespace_, session.vm, budget.for_call());
  if (!there || !*there) return failed(reason::kApiError, error.message);
  if ((*there)->holder != session.holder || (*there)->phase != Phase::kFreezing) return lost_race;
  session = std::move(**there);
  return std::nullopt;
}

// The sweeper only ever takes a session away from Freezing; Frozen is written by its own admission alone.
enum class Recorded { kYes, kTakenAway, kUnknown };

Recorded record_frozen(const Seams& seams, Session& session, const Budget& budget) {
  for (Backoff backoff;;) {
    auto written = seams.sessions.update(session, budget.for_call());
    if (written) {
      session = std::move(*written);
      return Recorded::kYes;
    }
    auto there = seams.sessions.read(session.namespace_, session.vm, budget.for_call());
    if (there) {
      if (!*there || (*there)->uid != session.uid) return Recorded::kTakenAway;
      if ((*there)->phase == Phase::kFrozen) {
        session = std::move(**there);
        return Recorded::kYes;
      }
      if ((*there)->phase != Phase::kFreezing) return Recorded::kTakenAway;
      session.resource_version = (*there)->resource_version;
    }
    if (!backoff.wait(seams.clock, budget)) return Recorded::kUnknown;
  }
}

bool says_it_all(const Session& there, const Session& wanted) {
  return (there.phase == Phase::kThawing || there.phase == Phase::kResting) && (there.unsettled || !wanted.unsettled) &&
         std::ranges::all_of(wanted.doubts, [&](const std::string& doubt) {
           return std::ranges::find(there.doubts, doubt) != there.doubts.end();
         });
}

// What `there` must become for the guest to be thawed on account of `wanted`.
Session thawing(Session there, const Session& wanted) {
  if (there.phase != Phase::kResting) there.phase = Phase::kThawing;
  there.unsettled = there.unsettled || wanted.unsettled;
  for (const std::string& doubt : wanted.doubts) there.doubt(doubt);
  return there;
}

}  // namespace

Began begin_session(const Seams& seams, Session session, Mono arrival, const Budget& budget) {
  if (budget.left() < kLeastForFreeze) return failed(reason::kNoTime);
  session.phase = Phase::kFreezing;
  session.intent = {freeze::Intent::Call::kFreeze, session.holder};
  if (auto ended = create(seams, session, budget)) return *ended;

  if (session.holds.front().kind == Hold::Kind::kHarvester) {
    if (budget.left() < kLeastForFreeze) return out_of_time(seams, std::move(session), budget);
    const auto thaw = freeze::unfreeze(seams.api, session.namespace_, session.vm, for_guest_call(budget));
    if (thaw.outcome != ThawOutcome::kThawed && thaw.outcome != ThawOutcome::kLapsed) {
      return give_up(seams, std::move(session), budget, reason::kFreezeFailed, thaw.outcome == ThawOutcome::kUnknown,
                     failed(reason::kFreezeFailed, thaw.message));
    }
    if (seams.clock.monotonic() - arrival > kHarvesterTimerSafe) session.doubt(reason::kHarvesterTimer);
  }

  if (budget.left() < kLeastForFreeze) return out_of_time(seams, std::move(session), budget);
  const Mono sent = seams.clock.monotonic();
  const auto frozen = freeze::freeze(seams.api, session.namespace_, session.vm, session.timer, for_guest_call(budget));
  if (frozen.outcome != FreezeOutcome::kFrozen) {
    return give_up(seams, std::move(session), budget, reason::kFreezeFailed, frozen.outcome == FreezeOutcome::kUnknown,
                   failed(reason::kFreezeFailed, frozen.message));
  }
  const Mono answered = seams.clock.monotonic();
  seams.metrics.froze(answered - sent);

  session.phase = Phase::kFrozen;
  session.intent = {};
  session.frozen_by = seams.server_time.upper_bound(answered);
  switch (record_frozen(seams, session, budget)) {
    case Recorded::kYes:
      return {End::kFrozen, std::move(session), "", ""};
    case Recorded::kTakenAway:
      // Whoever took it away may have thawed the guest before our freeze: so once more.
      return give_up(seams, std::move(session), budget, reason::kAbandoned, true, failed(reason::kAbandoned));
    case Recorded::kUnknown:
      break;
  }
  return failed(reason::kApiError, "the freeze could not be recorded");
}

void leave_thawing(const Seams& seams, Session session, const Budget& budget) {
  session.phase = Phase::kThawing;
  for (Backoff backoff;;) {
    const bool is_new = session.uid.empty();
    const auto written =
        is_new ? seams.sessions.create(session, budget.for_call()) : seams.sessions.update(session, budget.for_call());
    if (written) return;
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

}  // namespace snapfreeze::webhook
