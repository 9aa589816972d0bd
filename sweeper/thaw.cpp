#include "sweeper/thaw.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "freeze/calls.h"
#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/views.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Reason;
using freeze::Session;
using freeze::ThawOutcome;
namespace reason = freeze::reason;

std::string_view name_of(ThawOutcome outcome) {
  switch (outcome) {
    case ThawOutcome::kThawed:
      return "thawed";
    case ThawOutcome::kLapsed:
      return "lapsed";
    case ThawOutcome::kRefused:
      return "refused";
    case ThawOutcome::kUnknown:
      break;
  }
  return "unknown";
}

ThawDone ended(ThawDone::End end, Session session) {
  ThawDone done;
  done.end = end;
  done.session = std::move(session);
  return done;
}

// The launcher that could carry out a late call is gone with its VMI.
ThawDone nothing_to_thaw(Session session) {
  session.doubt(reason::kRestarted);
  session.unsettled = false;
  return ended(ThawDone::End::kSettled, std::move(session));
}

Millis frozen_for(const Seams& seams, const ThawJob& job) {
  const Mono now = seams.clock.monotonic();
  if (job.frozen_since) return std::chrono::ceil<Millis>(now - *job.frozen_since);
  if (!job.session.created) return job.session.timer;
  const auto bound = seams.server_time.bound_for_age(now, *job.session.created);
  if (!bound) return job.session.timer;
  return std::chrono::ceil<Millis>(*bound - *job.session.created);
}

ThawDone settled(const Seams& seams, const ThawJob& job, Session session) {
  ThawDone done = ended(ThawDone::End::kSettled, std::move(session));
  done.frozen_for = frozen_for(seams, job);
  const bool held = done.session.frozen_by && done.session.phase == freeze::Phase::kThawing;
  if (held && !done.session.only_undoes()) seams.metrics.thawed(*done.frozen_for);
  return done;
}

// Since then KubeVirt's own timer, which the freeze has set, may have thawed the guest. The freeze came after its
// Lease.
bool is_past_timer(const Seams& seams, const ThawJob& job) {
  const Mono now = seams.clock.monotonic();
  if (!job.session.created) return true;
  const auto bound = seams.server_time.bound_for_age(now, *job.session.created);
  if (!bound || *bound >= *job.session.created + job.session.timer) return true;
  return job.frozen_since && now >= *job.frozen_since + job.session.timer;
}

ThawDone judge(const Seams& seams, const ThawJob& job, const freeze::ThawAnswer& answer, Session session) {
  switch (answer.outcome) {
    case ThawOutcome::kThawed:
      // Then the timer's thaw was told that VSS had given up, and ours finds nothing to do.
      if (session.windows && is_past_timer(seams, job)) session.doubt(reason::kThawUnsettled);
      return settled(seams, job, std::move(session));
    case ThawOutcome::kLapsed:
      session.doubt(reason::kWindowsLimit);
      return settled(seams, job, std::move(session));
    case ThawOutcome::kRefused:
      if (look_at_guest(seams.api, session) == GuestState::kGone) return nothing_to_thaw(std::move(session));
      break;
    case ThawOutcome::kUnknown:
      session.unsettled = true;
      break;
  }
  // The reply that never came may have been the one that says that VSS had given up.
  if (session.windows) session.doubt(reason::kThawUnsettled);
  log::warning("guest not thawed yet", {{"namespace", session.namespace_},
                                        {"name", session.vm},
                                        {"status", answer.http_status},
                                        {"error", answer.message}});
  return ended(answer.outcome == ThawOutcome::kUnknown ? ThawDone::End::kUnsettled : ThawDone::End::kRefused,
               std::move(session));
}

constexpr int kDoubtTries = 5;

// A call of ours may have thawed the guest of any session that existed when it was carried out, so that session's
// verdict cannot stand. False: that could not be noted.
bool doubt_whoever_is_there(const Seams& seams, const Session& ours) {
  for (int i = 0; i < kDoubtTries; ++i) {
    const auto there = seams.sessions.read(ours.namespace_, ours.vm);
    if (there && (!*there || (*there)->uid == ours.uid)) return true;
    if (!there) continue;
    Session doubtful = **there;
    doubtful.doubt(reason::kThawUnsettled);
    if (doubtful.doubts == (*there)->doubts) return true;
    // The doubt is true whoever leads by now.
    if (seams.sessions.update(doubtful, kube::kCallTimeout, seams.clock.monotonic() + kube::kCallTimeout)) return true;
  }
  log::error("a late thaw could not be noted", {{"namespace", ours.namespace_}, {"name", ours.vm}});
  return false;
}

// The reason to doubt that the guest is still frozen; none when it reports that it is.
Reason look_at_freeze(const Seams& seams, const Session& session) {
  const auto object =
      kube::get(seams.api, kube::object_path(kube::kVirtualMachineInstances, session.namespace_, session.vm), kLook);
  if (!object) return object.error().code == Code::kNotFound ? reason::kRestarted : reason::kUnverified;
  const auto vmi = kube::VmiView::from(*object);
  if (vmi.metadata.uid != session.vmi_uid) return reason::kRestarted;
  return vmi.reported_frozen() ? Reason() : reason::kLapsed;
}

void count_first_call(const Seams& seams, const ThawJob& job) {
  for (const std::string_view source : job.sources) seams.metrics.captured(source);
  if (job.completed) seams.metrics.thaw_sent(seams.clock.monotonic() - *job.completed);
}

// What became of a call that was decided at `decided`, and of those whom it may have concerned.
ThawDone answered(const Seams& seams, const ThawJob& job, const freeze::ThawAnswer& answer, Mono decided,
                  Session session) {
  seams.metrics.thaw_answered(name_of(answer.outcome));
  const bool late = seams.clock.monotonic() - decided > freeze::kCallLimit;
  if (late || !seams.leadership.leads_for(Millis(0))) doubt_whoever_is_there(seams, session);
  return judge(seams, job, answer, std::move(session));
}

// The record of a call that has left, on top of what an admission has written meanwhile. What joined since has no
// captures in it.
Session on_top_of(Session there, const Session& ours) {
  there.phase = ours.phase;
  there.intent = ours.intent;
  there.captured = ours.captured;
  there.unsettled = there.unsettled || ours.unsettled;
  for (const Reason doubt : ours.doubts) there.doubt(doubt);
  return there;
}

constexpr int kRecordTries = 3;

// Writes the record of a call that has left, after a first `written`. nullopt: `session` is on record now.
std::optional<ThawDone> record_behind(const Seams& seams, Session& session, Result<Session> written) {
  for (int tries = 1; !written; ++tries) {
    const Code code = written.error().code;
    const bool lost_race = code == Code::kConflict || code == Code::kNotFound;
    if (!lost_race || tries > kRecordTries) return ended(ThawDone::End::kUnrecorded, session);
    ThawDone there = read_again(seams, session);
    if (there.end == ThawDone::End::kNotMade) return ended(ThawDone::End::kUnrecorded, session);
    if (there.gone) {
      return doubt_whoever_is_there(seams, session) ? there : ended(ThawDone::End::kUnrecorded, session);
    }
    if (!freeze::is_frozen(there.session.phase)) {
      // By an admin, or another leader: it says what was captured, and is not told by us.
      there.session.unsettled = there.session.unsettled || session.unsettled;
      return there;
    }
    session = on_top_of(std::move(there.session), session);
    written = seams.sessions.update(session);
  }
  session = std::move(*written);
  return std::nullopt;
}

// A process that is stopped before the socket must not send what it decided long ago.
constexpr Millis kSendWithin{1000};

// nullopt: it is too late for that, and nothing was done.
std::optional<ThawDone> thaw_ahead_of_record(const Seams& seams, const ThawJob& job) {
  const Mono decided = seams.clock.monotonic();
  const Mono send_by = std::min(*job.armed_until, decided + kSendWithin);
  if (decided >= send_by || !seams.leadership.leads_for(freeze::kCallLimit + kSendWithin)) return std::nullopt;
  count_first_call(seams, job);
  const std::array requests{
      freeze::unfreeze_request(job.session.namespace_, job.session.vm, freeze::kCallLimit, send_by),
      seams.sessions.update_request(job.session)};
  const auto replies = seams.api.call_all(requests);
  const auto answer = freeze::thaw_answer(replies.front());
  Session session = job.session;
  if (answer.outcome == ThawOutcome::kUnknown) session.unsettled = true;
  auto elsewhere = record_behind(seams, session, freeze::SessionStore::session_of(replies.back()));
  return elsewhere ? std::move(*elsewhere) : answered(seams, job, answer, decided, std::move(session));
}

// A freeze reaches whoever has the VM's name when it is carried out.
bool may_have_frozen(const Session& session, const kube::VmiView& vmi) {
  const auto& created = vmi.metadata.creation_timestamp;
  return !session.frozen_by || !created || *created <= *session.frozen_by;
}

}  // namespace

GuestState look_at_guest(kube::KubeApi& api, const Session& session) {
  const auto object = kube::get(api, kube::object_path(kube::kVirtualMachineInstances, session.namespace_, session.vm));
  if (!object) return object.error().code == Code::kNotFound ? GuestState::kGone : GuestState::kUnknown;
  const auto vmi = kube::VmiView::from(*object);
  const bool another = !session.vmi_uid.empty() && vmi.metadata.uid != session.vmi_uid;
  const bool out_of_reach = another && !may_have_frozen(session, vmi);
  return out_of_reach || !vmi.running() ? GuestState::kGone : GuestState::kThere;
}

ThawDone read_again(const Seams& seams, const Session& session) {
  const auto there = seams.sessions.read(session.namespace_, session.vm);
  if (!there) return ended(ThawDone::End::kNotMade, session);
  ThawDone done = ended(ThawDone::End::kReplan, session);
  done.gone = !*there || (*there)->uid != session.uid;
  if (!done.gone) done.session = **there;
  return done;
}

ThawDone thaw(const Seams& seams, const ThawJob& job) {
  if (job.armed_until) {
    if (auto done = thaw_ahead_of_record(seams, job)) return *done;
  }
  if (!seams.leadership.leads_for(freeze::kCallLimit)) return ended(ThawDone::End::kNotMade, job.session);
  Session wanted = job.session;
  bool gone = false;
  if (job.guest_gone) {
    const GuestState guest = look_at_guest(seams.api, wanted);
    if (guest == GuestState::kUnknown) return ended(ThawDone::End::kNotMade, job.session);
    gone = guest == GuestState::kGone;
    if (gone) wanted.intent = {};
    wanted.doubt(reason::kRestarted);
  }
  if (job.look_first && !job.guest_gone) {
    if (const Reason doubt = look_at_freeze(seams, wanted)) wanted.doubt(doubt);
  }
  const Mono intended = seams.clock.monotonic();
  auto written = seams.sessions.update(wanted);
  if (!written && job.was_sent) {
    if (auto elsewhere = record_behind(seams, wanted, std::move(written))) return *elsewhere;
    written = wanted;
  }
  if (!written) {
    const Code code = written.error().code;
    if (code == Code::kConflict || code == Code::kNotFound) return read_again(seams, job.session);
    log::warning("session not written",
                 {{"namespace", wanted.namespace_}, {"name", wanted.vm}, {"error", written.error().message}});
    return ended(ThawDone::End::kNotMade, job.session);
  }
  if (gone) return nothing_to_thaw(*written);
  if (!seams.leadership.leads_for(freeze::kCallLimit)) return ended(ThawDone::End::kNotMade, *written);
  count_first_call(seams, job);
  const auto answer = freeze::unfreeze(seams.api, wanted.namespace_, wanted.vm);
  return answered(seams, job, answer, intended, *written);
}

}  // namespace snapfreeze::sweeper
