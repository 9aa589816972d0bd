#include "sweeper/conclude.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/log.h"
#include "freeze/names.h"
#include "kube/rest.h"
#include "kube/views.h"
#include "sweeper/end_rest.h"
#include "sweeper/thaw.h"
#include "sweeper/write_verdict.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::Freezer;
using freeze::Hold;
using freeze::Session;
using freeze::Verdict;
namespace reason = freeze::reason;

Verdict crash(std::string_view why) {
  return {Consistency::kCrash, std::string(why)};
}

bool has_doubt(const Session& session, std::string_view doubt) {
  return std::find(session.doubts.begin(), session.doubts.end(), doubt) != session.doubts.end();
}

// Nothing may begin meanwhile: a call may still be carried out, or the backup would only stun the guest once more.
bool must_rest(const Session& session) {
  return session.unsettled || has_doubt(session, reason::kLapsed) || has_doubt(session, reason::kAgentLost) ||
         has_doubt(session, reason::kWindowsLimit) || (session.frozen_by && session.captured.empty());
}

class Conclusion {
 public:
  Conclusion(const Seams& seams, const Settings& settings, const ConcludeJob& job)
      : seams_(seams), settings_(settings), job_(job), session_(job.session) {
    done_.session = job.session;
  }

  ConcludeDone run() {
    if (job_.abandoned) session_.doubt(reason::kThawUnsettled);
    const bool done = session_.only_undoes() || (look() && judge_snapshots() && judge_backups());
    if (done && say_events()) end_session();
    return std::move(done_);
  }

 private:
  // Whether we may go on. What a leader that was replaced writes could turn crash back into filesystem.
  bool leads() const { return seams_.leadership.leads_for(kube::kCallTimeout); }

  // Who else may have frozen or thawed the guest. Not asked when there is a doubt already.
  bool look() {
    proof_ = freeze::proof_window(session_, settings_.policy.margin, {});
    if (!session_.doubts.empty()) return true;
    const std::array<kube::Request, 3> requests{
        kube::get_request(kube::collection_path(kube::kHarvesterBackups, session_.namespace_)),
        kube::get_request(kube::collection_path(kube::kKubeVirtSnapshots, session_.namespace_)),
        kube::get_request(kube::collection_path(kube::kKubeVirtBackups, session_.namespace_)),
    };
    const auto replies = seams_.api.call_all(requests);
    const auto backups = kube::items_of(replies[0]);
    const auto snapshots = kube::items_of(replies[1]);
    const auto kubevirt_backups = kube::items_of(replies[2]);
    for (const auto* list : {&backups, &snapshots, &kubevirt_backups}) {
      if (*list) continue;
      log::warning("cannot look for other freezers",
                   {{"namespace", session_.namespace_}, {"name", session_.vm}, {"error", list->error().message}});
      done_.look_failed = true;
    }
    if (!done_.look_failed) {
      take(*backups, *snapshots, *kubevirt_backups);
      return true;
    }
    if (job_.failed_looks + 1 < kMaxLooks) return false;
    session_.doubt(reason::kUnverified);
    return true;
  }

  void take(const std::vector<Json>& backups, const std::vector<Json>& snapshots,
            const std::vector<Json>& kubevirt_backups) {
    std::vector<Freezer> harvester;
    harvester.reserve(backups.size());
    for (const Json& item : backups) {
      harvester.push_back(freeze::harvester_backup(item));
      auto view = kube::BackupView::from(item);
      listed_[view.metadata.uid] = std::move(view);
    }
    looked_ = true;
    proof_ = freeze::proof_window(session_, settings_.policy.margin, harvester);
    std::vector<Freezer> kubevirt;
    kubevirt.reserve(snapshots.size() + kubevirt_backups.size());
    for (const Json& item : snapshots) kubevirt.push_back(freeze::kubevirt_snapshot(item));
    for (const Json& item : kubevirt_backups) kubevirt.push_back(freeze::kubevirt_backup(item));
    if (freeze::kubevirt_interfered(session_, kubevirt)) session_.doubt(reason::kKubevirtSnapshot);
  }

  Verdict judge(const Member& member) const {
    // Never from crash back to filesystem: whoever said so may have known more.
    if (member.consistency == to_string(Consistency::kCrash)) return crash(member.reason);
    Verdict verdict = judge_snapshot(session_, proof_, member.uid);
    if (verdict.reason == reason::kCutTooLate && !member.captured) verdict.reason = reason::kNotCaptured;
    return verdict;
  }

  bool judge_snapshots() {
    std::vector<VerdictFor> wanted;
    std::vector<const Member*> of;
    for (const Member& member : job_.members) {
      const Verdict verdict = judge(member);
      verdicts_[member.name] = verdict;
      if (member.consistency == to_string(verdict.consistency) && member.reason == verdict.reason) continue;
      wanted.push_back({{&kube::kVolumeSnapshots, member.namespace_, member.name, member.uid}, verdict, frozen_for()});
      of.push_back(&member);
    }
    if (!leads()) return false;
    const auto written = write_verdicts(seams_, wanted);
    bool all = true;
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (written[i] == Written::kYes) done_.snapshots.emplace_back(of[i]->uid, wanted[i].verdict);
      if (written[i] == Written::kGone) {
        verdicts_.erase(of[i]->name);
        gone_.insert(of[i]->name);
      }
      all = all && !to_be_tried_again(written[i]);
    }
    return all;
  }

  bool to_be_tried_again(Written written) const {
    if (job_.last_try) return false;
    return written == Written::kFailed || (written == Written::kRefused && job_.patient);
  }

  // frozen-for informs about a freeze that took place.
  std::optional<Millis> frozen_for() const { return session_.frozen_by ? job_.frozen_for : std::nullopt; }

  Verdict judge_hold(const HoldSituation& hold, const std::vector<std::string>& names) const {
    if (!session_.doubts.empty()) return crash(session_.doubts.front());
    std::map<std::string, Verdict> verdicts = verdicts_;
    for (const auto& [name, verdict] : hold.elsewhere) {
      // Consistent, but at another moment.
      const bool of_another_freeze = verdict.consistency == Consistency::kFilesystem;
      verdicts.try_emplace(name, of_another_freeze ? crash(reason::kLate) : verdict);
    }
    Verdict verdict = judge_backup(names, verdicts);
    const auto was_deleted = [&](const std::string& name) {
      return !verdicts.contains(name) && (hold.deleted_names.contains(name) || gone_.contains(name));
    };
    const bool deleted = std::any_of(names.begin(), names.end(), was_deleted);
    if (verdict.reason == reason::kMissing && deleted) verdict.reason = reason::kDeleted;
    return verdict;
  }

  bool judge_backups() {
    if (!leads()) return false;
    for (const HoldSituation& hold : job_.holds) {
      if (hold.hold.kind != Hold::Kind::kHarvester) continue;
      const auto listed = listed_.find(hold.hold.uid);
      if (looked_ && listed == listed_.end()) continue;  // deleted
      const bool fresh = listed != listed_.end();
      const Verdict verdict = judge_hold(hold, fresh ? listed->second.snapshot_names : hold.names);
      verdicts_of_holds_[hold.hold.uid] = verdict;
      const std::string before = fresh ? listed->second.metadata.annotation(freeze::kConsistency) : "";
      if (before == to_string(Consistency::kCrash)) continue;
      const VerdictFor wanted{target_of(hold.hold), verdict, frozen_for()};
      const Written written = write_verdicts(seams_, {&wanted, 1}).front();
      if (to_be_tried_again(written)) return false;
      if (written == Written::kGone) verdicts_of_holds_.erase(hold.hold.uid);
      if (written != Written::kYes) continue;
      done_.backups.emplace_back(hold.hold.uid, verdict);
      seams_.metrics.verdict(to_string(verdict.consistency), verdict.reason);
    }
    return true;
  }

  Target target_of(const Hold& hold) const {
    return {&kube::kHarvesterBackups, session_.namespace_, hold.name, hold.uid};
  }

  bool say_events() {
    for (std::size_t i = 0; i < job_.holds.size(); ++i) {
      const Hold& hold = job_.holds[i].hold;
      EventText text{session_.uid + "." + std::to_string(i), false, "", ""};
      Target about = target_of(hold);
      if (hold.kind == Hold::Kind::kHarvester) {
        if (!describe_backup(hold, text)) continue;
      } else if (!describe_labelled(i, about, text)) {
        continue;
      }
      if (to_be_tried_again(write_event(seams_, settings_.identity, about, text))) return false;
    }
    return true;
  }

  // False: there is nothing to say.
  bool describe_backup(const Hold& hold, EventText& text) const {
    if (has_doubt(session_, reason::kRescued)) {
      say_rescued(text, session_.vm);
      return true;
    }
    const auto verdict = verdicts_of_holds_.find(hold.uid);
    if (verdict == verdicts_of_holds_.end()) return false;
    say_verdict(text, verdict->second, frozen_for());
    return true;
  }

  // A backup that is only a label has no object; its Event is about the first of its snapshots.
  bool describe_labelled(std::size_t hold, Target& about, EventText& text) const {
    for (const Member& member : job_.members) {
      const auto verdict = verdicts_.find(member.name);
      if (member.hold != hold || verdict == verdicts_.end()) continue;
      about = {&kube::kVolumeSnapshots, member.namespace_, member.name, member.uid};
      say_verdict(text, verdict->second, frozen_for());
      return true;
    }
    return false;
  }

  void end_session() {
    if (!leads()) return;
    const bool rest = !job_.abandoned && must_rest(session_);
    Result<Session> resting = session_;
    Result<void> removed;
    if (rest) {
      Session wanted = session_;
      wanted.phase = freeze::Phase::kResting;
      resting = seams_.sessions.update(wanted);
      if (resting) done_.session = *resting;
    } else {
      removed = seams_.sessions.remove(session_);
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
    } else if (error.code == Code::kConflict || error.code == Code::kNotFound) {
      const ThawDone now = read_again(seams_, session_);
      if (now.end != ThawDone::End::kReplan) return;
      done_.end = ConcludeDone::End::kReplan;
      done_.session = now.session;
      done_.gone = now.gone;
    }
  }

  void report_end() const {
    if (has_doubt(session_, reason::kRescued)) seams_.metrics.rescued();
    const bool doubtful = !session_.doubts.empty();
    log::info("session ended", {{"namespace", session_.namespace_},
                                {"name", session_.vm},
                                {"captured", session_.captured.size()},
                                {"doubt", doubtful ? session_.doubts.front() : ""}});
  }

  const Seams& seams_;
  const Settings& settings_;
  const ConcludeJob& job_;
  Session session_;
  ConcludeDone done_;
  bool looked_ = false;
  freeze::Proof proof_;
  std::map<std::string, kube::BackupView> listed_;  // by uid
  std::map<std::string, Verdict> verdicts_;         // of this epoch's snapshots, by name
  std::set<std::string> gone_;
  std::map<std::string, Verdict> verdicts_of_holds_;  // by uid of the backup
};

}  // namespace

ConcludeDone conclude(const Seams& seams, const Settings& settings, const ConcludeJob& job) {
  if (job.abandoned) say_never_settled(seams, settings, job.session);
  return Conclusion(seams, settings, job).run();
}

}  // namespace snapfreeze::sweeper
