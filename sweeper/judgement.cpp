#include "sweeper/judgement.h"

#include <algorithm>

#include "base/log.h"
#include "freeze/names.h"
#include "kube/replay.h"
#include "kube/rest.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Consistency;
using freeze::crash;
using freeze::Freezer;
using freeze::Hold;
using freeze::Verdict;
namespace reason = freeze::reason;

// How many snapshots of other backups, and members that never came, are read. Any more count as doubtful.
constexpr std::size_t kMaxReads = 64;

std::vector<Result<Json>> read_snapshots(const Seams& seams, const std::string& ns,
                                         const std::vector<std::string>& names) {
  std::vector<kube::Request> requests;
  requests.reserve(names.size());
  for (const std::string& name : names) {
    requests.push_back(kube::get_request(kube::object_path(kube::kVolumeSnapshots, ns, name)));
  }
  std::vector<Result<Json>> objects;
  objects.reserve(names.size());
  for (const auto& reply : seams.api.call_all(requests)) objects.push_back(kube::object_of(reply));
  return objects;
}

// What a backup said while it was watched counts, too: somebody may have changed it since.
void also_heed(const Freezer& seen, std::vector<Freezer>& others) {
  const auto now = std::find_if(others.begin(), others.end(),
                                [&](const Freezer& one) { return one.uid == seen.uid && one.vm == seen.vm; });
  if (now == others.end()) {
    others.push_back(seen);
    others.back().deleted = true;
    return;
  }
  now->deadline = std::max(now->deadline, seen.deadline);
  now->created_later = seen.created_later;
  now->froze = now->froze || seen.froze || !seen.snapshots.empty();
}

// What a disk of the backup is worth that this freeze did not cover: at best it is of another moment. That its guest
// does not run is not so.
Verdict beside_our_freeze(const Verdict& elsewhere) {
  switch (elsewhere.consistency) {
    case Consistency::kFilesystem:
      return crash(reason::kLate);
    case Consistency::kOffline:
      return crash(reason::kStarted);
    case Consistency::kCrash:
      break;
  }
  return elsewhere;
}

}  // namespace

Judgement::Judgement(const Seams& seams, const Settings& settings, const ConcludeJob& job)
    : seams_(seams), settings_(settings), job_(job), session_(job.session) {
  for (const Member& member : job.members) {
    if (member.namespace_ == session_.namespace_) members_.push_back(&member);
  }
}

bool Judgement::take(const std::shared_ptr<const Look>& look) {
  std::vector<Freezer> others;
  for (const Look::Backup& backup : look->backups) others.push_back(backup.freezer);
  for (const Look::Former& former : look->former) {
    if (!kube::is_not_after(former.version, session_.version_before)) also_heed(former.freezer, others);
  }
  for (const Freezer& seen : job_.seen_backups) also_heed(seen, others);
  if (!read_snapshots_of(others)) return false;
  look_ = look;
  if (const Freezer* freezer = freeze::harvester_interfered(session_, settings_.policy.margin, others)) {
    session_.doubt(reason::kOtherBackup);
    culprits_[reason::kOtherBackup] = "VirtualMachineBackup " + freezer->name;
  }
  if (const Freezer* freezer = freeze::kubevirt_interfered(session_, look->kubevirt)) {
    session_.doubt(reason::kKubevirtSnapshot);
    culprits_[reason::kKubevirtSnapshot] = freezer->name;
  }
  doubt_guest(look->guest(session_.vm));
  for (const kube::VmiView& state : look->untold) {
    const bool of_before = kube::is_not_after(state.metadata.resource_version, session_.version_before);
    if (state.metadata.name == session_.vm && !of_before) doubt_guest(state);
  }
  if (look->gap.empty() || !session_.doubts.empty()) return true;
  log::warning("cannot look back", {{"namespace", session_.namespace_}, {"name", session_.vm}, {"error", look->gap}});
  return false;
}

void Judgement::doubt_guest(const std::optional<kube::VmiView>& state) {
  const auto doubt = freeze::guest_doubt(session_, state, job_.migration_uid, settings_.policy.margin);
  if (doubt) session_.doubt(doubt);
}

bool Judgement::read_snapshots_of(std::vector<Freezer>& others) const {
  std::size_t budget = kMaxReads;
  return std::all_of(others.begin(), others.end(), [&](Freezer& other) {
    return !freeze::depends_on_snapshots(session_, settings_.policy.margin, other) || read_snapshots_of(other, budget);
  });
}

bool Judgement::read_snapshots_of(Freezer& other, std::size_t& budget) const {
  if (other.snapshots.size() > budget) {
    other.last_made = Wall::max();
    return true;
  }
  budget -= other.snapshots.size();
  other.all_made = true;
  for (const auto& object : read_snapshots(seams_, session_.namespace_, other.snapshots)) {
    if (!object && object.error().code != Code::kNotFound) {
      log::warning("cannot read the snapshots of another backup",
                   {{"namespace", session_.namespace_}, {"name", other.name}, {"error", object.error().message}});
      return false;
    }
    if (!object) {
      other.all_made = false;
      continue;
    }
    const auto made = kube::Metadata::from(*object).creation_timestamp.value_or(Wall::max());
    other.last_made = std::max(other.last_made.value_or(made), made);
  }
  return true;
}

Verdict Judgement::judge(const Member& member) {
  Verdict verdict = judge_disk(member);
  verdicts_[member.name] = verdict;
  return verdict;
}

Verdict Judgement::judge_disk(const Member& member) {
  // Never from crash back to filesystem: the former leader may have known more.
  if (freeze::is_crash(member.verdict)) return *member.verdict;
  if (!session_.may_have_disk(member.claim)) return crash(reason::kNotItsDisk);
  Verdict verdict = judge_snapshot(session_, settings_.policy.margin, member.uid);
  if (verdict.reason == reason::kCutTooLate && (!member.captured || member.not_confirmed)) {
    verdict.reason = member.not_confirmed  ? reason::kNotConfirmed
                     : member.failed_since ? reason::kSnapshotError
                                           : reason::kNotCaptured;
  }
  if (verdict.consistency == Consistency::kCrash) return verdict;
  if (look_ == nullptr) return crash(reason::kUnverified);
  const auto guest = look_->guest(session_.vm);
  const auto& claims = guest->claims;  // or there was a doubt
  if (std::find(claims.begin(), claims.end(), member.claim) == claims.end()) return crash(reason::kNotItsDisk);
  const Wall since = session_.created.value_or(Wall::min());
  if (const auto* user = freeze::other_user(look_->users, member.claim, session_.vmi_uid, since)) {
    culprits_[reason::kSharedDisk] = user->name;
    return crash(reason::kSharedDisk);
  }
  return verdict;
}

void Judgement::snapshot_is_gone(const std::string& name) {
  verdicts_.erase(name);
  gone_.insert(name);
}

bool Judgement::is_deleted(const HoldSituation& hold, const std::string& name) const {
  return !verdicts_.contains(name) && (hold.deleted_names.contains(name) || gone_.contains(name));
}

std::optional<Verdict> Judgement::judge_hold(std::size_t index) {
  const HoldSituation& hold = job_.holds[index];
  std::vector<std::string> names = hold.names;
  if (hold.hold.kind == Hold::Kind::kHarvester) {
    const Look::Backup* fresh = look_ == nullptr ? nullptr : look_->backup(hold.hold.uid);
    if (look_ != nullptr && fresh == nullptr) return std::nullopt;  // deleted
    if (fresh != nullptr) names = fresh->freezer.snapshots;
  } else {
    names.clear();
    for (const Member* member : members_) {
      if (member->hold == index) names.push_back(member->name);
    }
    if (first_member(index) == nullptr) return std::nullopt;
  }
  if (!session_.doubts.empty()) return crash(session_.doubts.front());
  std::map<std::string, Verdict> verdicts = verdicts_;
  for (const auto& [name, verdict] : hold.elsewhere) {
    verdicts.try_emplace(name, beside_our_freeze(verdict));
  }
  Verdict verdict = judge_backup(names, verdicts);
  const bool fewer = static_cast<int>(names.size()) < hold.hold.members;
  if (verdict.consistency != Consistency::kCrash && fewer) verdict = crash(reason::kMissing);
  if (verdict.reason != reason::kMissing) return verdict;
  const bool deleted =
      std::any_of(names.begin(), names.end(), [&](const std::string& name) { return is_deleted(hold, name); }) ||
      (fewer && !hold.deleted_names.empty());
  if (deleted) return crash(reason::kDeleted);
  std::erase_if(names, [&](const std::string& name) { return verdicts.contains(name); });
  return crash(why_missing(names));
}

// A member that exists was admitted without us, or is not captured yet.
freeze::Reason Judgement::why_missing(const std::vector<std::string>& names) const {
  if (names.empty() || names.size() > kMaxReads) return reason::kMissing;
  for (const auto& object : read_snapshots(seams_, session_.namespace_, names)) {
    if (!object) continue;
    const bool ours = kube::Metadata::from(*object).label(freeze::kEpochLabel) == session_.uid;
    return ours ? reason::kNotCaptured : reason::kLate;
  }
  return reason::kMissing;
}

const Member* Judgement::first_member(std::size_t hold) const {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member* member) {
    return member->hold == hold && verdicts_.contains(member->name);
  });
  return found == members_.end() ? nullptr : *found;
}

std::optional<Verdict> Judgement::standing(const Hold& hold) const {
  const Look::Backup* fresh = look_ == nullptr ? nullptr : look_->backup(hold.uid);
  return fresh != nullptr && freeze::is_crash(fresh->verdict) ? fresh->verdict : std::nullopt;
}

std::string Judgement::culprit(freeze::Reason reason) const {
  const auto found = culprits_.find(reason);
  return found == culprits_.end() ? "" : found->second;
}

}  // namespace snapfreeze::sweeper
