#include "sweeper/conclude.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "freeze/names.h"
#include "kube/rest.h"
#include "sweeper/end_rest.h"
#include "sweeper/judgement.h"
#include "sweeper/thaw.h"
#include "sweeper/write_event.h"
#include "sweeper/write_verdict.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Hold;
using freeze::Session;
using freeze::Verdict;
namespace reason = freeze::reason;

bool has_doubt(const Session& session, freeze::Reason doubt) {
  return std::find(session.doubts.begin(), session.doubts.end(), doubt) != session.doubts.end();
}

// Nothing may begin meanwhile: a call may still be carried out, or the backup would only stun the guest again.
bool must_rest(const Session& session) {
  const bool rests = std::any_of(session.doubts.begin(), session.doubts.end(),
                                 [](const freeze::Reason doubt) { return doubt.rests(); });
  // What was captured after T was not captured in this freeze.
  const bool for_nothing = std::none_of(session.captured.begin(), session.captured.end(),
                                        [&](const auto& item) { return item.second < session.timer; });
  return rests || session.unsettled || (session.frozen_by && for_nothing);
}

class Conclusion {
 public:
  Conclusion(const Seams& seams, const Settings& settings, const ConcludeJob& job)
      : seams_(seams), settings_(settings), job_(job), judgement_(seams, settings, job) {
    done_.session = job.session;
  }

  ConcludeDone run() {
    if (job_.abandoned) session().doubt(reason::kThawUnsettled);
    if (!record_confirmed()) return std::move(done_);
    const bool done = session().only_undoes() || (look() && judge_snapshots() && judge_backups());
    if (done && say_events()) end_session();
    return std::move(done_);
  }

 private:
  Session& session() { return judgement_.session(); }
  [[nodiscard]] const Session& session() const { return judgement_.session(); }

  // Whether we may go on. A write of a leader that was replaced could turn crash back into filesystem.
  [[nodiscard]] bool leads() const { return seams_.leadership.leads_for(kube::kCallTimeout); }

  bool record_confirmed() {
    if (job_.confirmed_after.empty()) return true;
    if (!leads()) return false;
    const auto written = seams_.sessions.update(session());
    if (!written) {
      if (written.error().code == Code::kConflict || written.error().code == Code::kNotFound) lost_race();
      return false;
    }
    for (const auto after : job_.confirmed_after) seams_.metrics.confirmed(after);
    session() = *written;
    done_.session = *written;
    return true;
  }

  // Not when there is a doubt already.
  bool look() {
    if (!session().doubts.empty()) return true;
    const auto found = job_.look ? job_.look : sweeper::look(seams_, look_for(job_));
    if (found->error.empty() && judgement_.take(found)) return true;
    done_.look_failed = true;
    if (job_.failed_looks + 1 < kMaxLooks) return false;
    session().doubt(reason::kUnverified);
    return true;
  }

  bool judge_snapshots() {
    std::vector<VerdictFor> wanted;
    std::vector<const Member*> of;
    for (const Member* member : judgement_.members()) {
      const Verdict verdict = judgement_.judge(*member);
      if (member->verdict == verdict) continue;
      wanted.push_back(
          {{&kube::kVolumeSnapshots, member->namespace_, member->name, member->uid}, verdict, frozen_for()});
      of.push_back(member);
    }
    if (!leads()) return false;
    const auto written = write_verdicts(seams_, wanted);
    bool all = true;
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (written[i] == Written::kYes) done_.snapshots.emplace_back(of[i]->uid, wanted[i].verdict);
      if (written[i] == Written::kGone) judgement_.snapshot_is_gone(of[i]->name);
      all = all && !to_be_tried_again(written[i]);
    }
    return all;
  }

  [[nodiscard]] bool to_be_tried_again(Written written) const {
    if (job_.last_try) return false;
    return written == Written::kFailed || (written == Written::kRefused && job_.patient);
  }

  // frozen-for informs about a freeze that took place.
  [[nodiscard]] std::optional<Millis> frozen_for() const {
    return session().frozen_by ? job_.frozen_for : std::nullopt;
  }

  bool judge_backups() {
    if (!leads()) return false;
    for (std::size_t i = 0; i < job_.holds.size(); ++i) {
      const Hold& hold = job_.holds[i].hold;
      const auto verdict = judgement_.judge_hold(i);
      if (!verdict) continue;
      const auto standing = judgement_.standing(hold);
      verdicts_[i] = standing.value_or(*verdict);
      // A backup that is only a label has no object.
      if (standing || hold.kind != Hold::Kind::kHarvester) continue;
      const VerdictFor wanted{target_of(hold), *verdict, frozen_for()};
      const Written written = write_verdicts(seams_, {&wanted, 1}).front();
      if (to_be_tried_again(written)) return false;
      if (written == Written::kGone) verdicts_.erase(i);
      if (written == Written::kYes) done_.backups.emplace_back(hold.uid, *verdict);
    }
    return true;
  }

  [[nodiscard]] Target target_of(const Hold& hold) const {
    return {&kube::kHarvesterBackups, session().namespace_, hold.name, hold.uid};
  }

  bool say_events() {
    for (std::size_t i = 0; i < job_.holds.size(); ++i) {
      EventText text{session().uid + "." + std::to_string(i), {}};
      Target about = target_of(job_.holds[i].hold);
      if (!describe(i, about, text)) continue;
      if (to_be_tried_again(write_event(seams_, settings_.identity, about, text))) return false;
      if (!tell_owner(i, std::move(text))) return false;
    }
    return true;
  }

  // Of what is bad, on the page of the VM as well.
  bool tell_owner(std::size_t hold, EventText text) const {
    if (!text.words.warning) return true;
    const auto verdict = verdicts_.find(hold);
    if (verdict != verdicts_.end()) {
      text.words = freeze::words_for_owner(job_.holds[hold].hold.name, verdict->second,
                                           judgement_.culprit(verdict->second.reason));
    }
    text.id += ".vm";
    const Session& of = session();
    return !to_be_tried_again(write_vm_event(seams_, settings_.identity, of.namespace_, of.vm, text));
  }

  // False: there is nothing to say.
  bool describe(std::size_t hold, Target& about, EventText& text) const {
    const bool is_label = job_.holds[hold].hold.kind == Hold::Kind::kLabel;
    if (!is_label && has_doubt(session(), reason::kRescued)) {
      text.words = freeze::words_of_rescue(session().vm);
      return true;
    }
    const auto verdict = verdicts_.find(hold);
    if (verdict == verdicts_.end()) return false;
    // A backup that is only a label has no object; its Event is about the first of its snapshots.
    if (is_label) {
      const Member* first = judgement_.first_member(hold);
      if (first == nullptr) return false;
      about = {&kube::kVolumeSnapshots, first->namespace_, first->name, first->uid};
    }
    text.words = freeze::words_of(verdict->second, frozen_for(), judgement_.culprit(verdict->second.reason));
    return true;
  }

  void end_session() {
    if (!leads()) return;
    const bool rest = !job_.abandoned && must_rest(session());
    Result<Session> resting = session();
    Result<void> removed;
    if (rest) {
      Session wanted = session();
      wanted.phase = freeze::Phase::kResting;
      resting = seams_.sessions.update(wanted);
      if (resting) done_.session = *resting;
    } else {
      removed = seams_.sessions.remove(session());
    }
    const bool ok = rest ? resting.ok() : removed.ok();
    if (ok) {
      done_.end = rest ? ConcludeDone::End::kResting : ConcludeDone::End::kEnded;
      report_end();
      return;
    }
    const Error& error = rest ? resting.error() : removed.error();
    if (error.code == Code::kNotFound && !rest) {
      done_.end = ConcludeDone::End::kEnded;
      report_end();  // ours, most likely: the reply to it was lost
    } else if (error.code == Code::kConflict || error.code == Code::kNotFound) {
      lost_race();
    }
  }

  void lost_race() {
    const ThawDone now = read_again(seams_, session());
    if (now.end != ThawDone::End::kReplan) return;
    done_.end = ConcludeDone::End::kReplan;
    done_.session = now.session;
    done_.gone = now.gone;
  }

  // Verdicts are counted here, since a failed step is repeated, but a session ends only once.
  void report_end() const {
    if (has_doubt(session(), reason::kRescued)) seams_.metrics.rescued();
    std::string culprit;
    for (const auto& [hold, verdict] : verdicts_) {
      seams_.metrics.verdict(to_string(verdict.consistency), verdict.reason.name());
      if (culprit.empty()) culprit = judgement_.culprit(verdict.reason);
    }
    const bool doubtful = !session().doubts.empty();
    log::info("session ended", {{"namespace", session().namespace_},
                                {"name", session().vm},
                                {"captured", session().captured.size()},
                                {"doubt", doubtful ? session().doubts.front().name() : ""},
                                {"because", culprit}});
  }

  const Seams& seams_;
  const Settings& settings_;
  const ConcludeJob& job_;
  ConcludeDone done_;
  Judgement judgement_;
  std::map<std::size_t, Verdict> verdicts_;  // of the backups, by hold
};

}  // namespace

bool needs_look(const ConcludeJob& job) {
  return job.session.doubts.empty() && !job.abandoned;
}

LookJob look_for(const ConcludeJob& job) {
  LookJob look;
  look.namespace_ = job.session.namespace_;
  look.vms[job.session.vm] = job.guest_told_until;
  for (const HoldSituation& hold : job.holds) look.backups.insert(hold.hold.uid);
  look.since = job.session.created.value_or(Wall::min());
  look.version = job.session.version_before;
  return look;
}

ConcludeDone conclude(const Seams& seams, const Settings& settings, const ConcludeJob& job) {
  if (job.abandoned) say_never_settled(seams, settings, job.session);
  return Conclusion(seams, settings, job).run();
}

}  // namespace snapfreeze::sweeper
