#include "webhook/begin.h"

#include <algorithm>

#include "freeze/calls.h"
#include "freeze/names.h"
#include "webhook/undo.h"

namespace snapfreeze::webhook {
namespace {

using freeze::FreezeOutcome;
using freeze::Hold;
using freeze::Phase;
using freeze::Reason;
using freeze::Session;
using freeze::ThawOutcome;
using End = Began::End;
namespace reason = freeze::reason;

// Subtracted from the time-out of a call to the guest, to leave time to record its result.
constexpr Millis kForTheRecord{500};
// A time-out of kCallLimit is noticed a little later.
constexpr Millis kLateAnswer{500};
// Harvester's shortest timer is 1 s and starts up to 0.1 s before the request arrives. After this time it may fire into
// our begin.
constexpr Millis kHarvesterTimerSafe{500};

// One call to the guest. This object is made when the call is decided, so that a process that is stopped between two
// instructions neither sends the call late nor takes a late answer for a fresh one.
class GuestCall {
 public:
  GuestCall(const Seams& seams, const Budget& budget)
      : clock_(seams.clock),
        decided_(clock_.monotonic()),
        limit_(std::min(freeze::kCallLimit, budget.left() - kForTheRecord)) {}

  [[nodiscard]] Millis limit() const { return limit_; }
  [[nodiscard]] Mono send_by() const { return decided_ + limit_; }
  // The facts that it was decided by may no longer hold.
  [[nodiscard]] bool answered_late() const { return clock_.monotonic() - decided_ > freeze::kCallLimit + kLateAnswer; }
  [[nodiscard]] Millis took() const { return std::chrono::ceil<Millis>(clock_.monotonic() - decided_); }

 private:
  const Clock& clock_;
  const Mono decided_;
  const Millis limit_;
};

Began failed(Reason why, std::string error = "") {
  return {End::kFailed, {}, why, std::move(error), false};
}

// Why a call to the guest failed: without a status it never reached the API server, if that much is certain.
Reason failure(bool unknown, int http_status) {
  return unknown || http_status != 0 ? reason::kFreezeFailed : reason::kApiError;
}

Began give_up(const Seams& seams, Session session, const Budget& budget, Reason doubt, bool unsettled, Began answer) {
  session.doubt(doubt);
  session.unsettled = session.unsettled || unsettled;
  session.intent = unsettled ? freeze::Intent{freeze::Intent::Call::kFreeze, session.holder} : freeze::Intent{};
  leave_thawing(seams, std::move(session), budget.to_clean_up());
  answer.on_record = true;
  return answer;
}

Began out_of_time(const Seams& seams, Session session, const Budget& budget) {
  return give_up(seams, std::move(session), budget, reason::kAbandoned, false, failed(reason::kNoTime));
}

// The call may have reached the guest in the middle of somebody else's session, or long after our own was ended.
Began stopped(const Seams& seams, Session session, const Budget& budget) {
  return give_up(seams, std::move(session), budget, reason::kAbandoned, true,
                 failed(reason::kAbandoned, "a call to the guest was answered long after it was meant"));
}

// nullopt: the session exists, and is ours. A create may have been carried out even if its reply was lost or is an
// error of the server.
std::optional<Began> create(const Seams& seams, Session& session, const Budget& budget) {
  auto created = seams.sessions.create(session, budget.for_call());
  if (created) {
    session = std::move(*created);
    return std::nullopt;
  }
  const Began lost_race{End::kLostRace, {}, {}, "", false};
  const Error& error = created.error();
  if (error.code == Code::kConflict) return lost_race;
  if (error.code != Code::kTransient) return failed(reason::kApiError, error.message);
  auto there = seams.sessions.read(session.namespace_, session.vm, budget.for_call());
  if (!there || !*there) return failed(reason::kApiError, error.message);
  if ((*there)->holder != session.holder || (*there)->phase != Phase::kFreezing) return lost_race;
  session = std::move(**there);
  return std::nullopt;
}

// The sweeper only takes a session out of Freezing. Only its own admission writes Frozen.
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
      if (freeze::is_frozen((*there)->phase)) {
        session = std::move(**there);
        return Recorded::kYes;
      }
      if ((*there)->phase != Phase::kFreezing) return Recorded::kTakenAway;
      session.resource_version = (*there)->resource_version;
    }
    if (!backoff.wait(seams.clock, budget)) return Recorded::kUnknown;
  }
}

}  // namespace

Began begin_session(const Seams& seams, Session session, Mono arrival, const Budget& budget) {
  if (budget.left() < kLeastForFreeze) return failed(reason::kNoTime);
  session.phase = Phase::kFreezing;
  session.intent = {freeze::Intent::Call::kFreeze, session.holder};
  if (auto ended = create(seams, session, budget)) return *ended;
  session.version_before = session.resource_version;

  if (session.holds.front().kind == Hold::Kind::kHarvester) {
    if (budget.left() < kLeastForFreeze) return out_of_time(seams, std::move(session), budget);
    const GuestCall call(seams, budget);
    const auto thaw = freeze::unfreeze(seams.api, session.namespace_, session.vm, call.limit(), call.send_by());
    if (call.answered_late()) return stopped(seams, std::move(session), budget);
    if (thaw.outcome != ThawOutcome::kThawed && thaw.outcome != ThawOutcome::kLapsed) {
      const bool unknown = thaw.outcome == ThawOutcome::kUnknown;
      const auto why = failure(unknown, thaw.http_status);
      return give_up(seams, std::move(session), budget, why, unknown, failed(why, thaw.message));
    }
    if (seams.clock.monotonic() - arrival > kHarvesterTimerSafe) session.doubt(reason::kHarvesterTimer);
  }

  if (budget.left() < kLeastForFreeze) return out_of_time(seams, std::move(session), budget);
  const GuestCall call(seams, budget);
  const auto frozen =
      freeze::freeze(seams.api, session.namespace_, session.vm, session.timer, call.limit(), call.send_by());
  // Only now do we know by when the guest was frozen, since a guest may take seconds.
  const Mono answered = seams.clock.monotonic();
  if (call.answered_late()) return stopped(seams, std::move(session), budget);
  if (frozen.outcome != FreezeOutcome::kFrozen) {
    const bool unknown = frozen.outcome == FreezeOutcome::kUnknown;
    const auto why = failure(unknown, frozen.http_status);
    return give_up(seams, std::move(session), budget, why, unknown, failed(why, frozen.message));
  }
  seams.metrics.froze(call.took());

  session.phase = Phase::kFrozen;
  session.intent = {};
  session.frozen_by = session.created ? seams.server_time.bound_for_age(answered, *session.created)
                                      : seams.server_time.upper_bound(answered);
  if (budget.overdue()) return stopped(seams, std::move(session), budget);
  switch (record_frozen(seams, session, budget)) {
    case Recorded::kYes:
      return {End::kFrozen, std::move(session), {}, "", true};
    case Recorded::kTakenAway:
      // The session was taken from us, and the guest may have been thawed before our freeze, so it must be thawed
      // again.
      return give_up(seams, std::move(session), budget, reason::kAbandoned, true, failed(reason::kAbandoned));
    case Recorded::kUnknown:
      break;
  }
  Began unrecorded = failed(reason::kApiError, "the freeze could not be recorded");
  unrecorded.on_record = true;
  return unrecorded;
}

}  // namespace snapfreeze::webhook
