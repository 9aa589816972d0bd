#include "cli/explain/explain.h"

#include <algorithm>

#include "base/time.h"
#include "cli/shared/reasons.h"
#include "freeze/names.h"
#include "freeze/verdict.h"

namespace snapfreeze::cli {
namespace {

constexpr std::chrono::hours kPlausible{24};
constexpr std::size_t kShortUid = 8;

std::string note_of(const DiskFacts& disk, const char* key) {
  return disk.view ? disk.view->metadata.annotation(key) : "";
}

std::string epoch_of(const DiskFacts& disk) {
  return disk.view ? disk.view->metadata.label(freeze::kEpochLabel) : "";
}

std::string admission_of(const DiskFacts& disk) {
  const std::string epoch = epoch_of(disk);
  if (epoch.empty()) return "created, without snapfreeze";
  if (epoch == freeze::kEpochOffline) return "admitted; no guest runs";
  if (epoch == freeze::kEpochNone) return "admitted without a freeze (" + note_of(disk, freeze::kReason) + ")";
  return "admitted while frozen, in session " + epoch.substr(0, kShortUid);
}

// The storage's own clock may say 1970.
std::optional<Wall> plausible(const std::optional<Wall>& at, const DiskFacts& disk) {
  const auto& created = disk.view ? disk.view->metadata.creation_timestamp : std::nullopt;
  const bool far = at && created && (*at < *created - kPlausible || *at > *created + kPlausible);
  return far ? std::nullopt : at;
}

bool captured(const DiskFacts& disk) {
  return disk.captured_by_storage || (disk.view && disk.view->captured);
}

std::optional<Wall> cut_of(const DiskFacts& disk) {
  const auto by_storage = disk.captured_by_storage ? plausible(disk.captured_by_storage->at, disk) : std::nullopt;
  return by_storage ? by_storage : plausible(disk.captured_by_snapshot, disk);
}

class Explainer {
 public:
  explicit Explainer(const ExplainFacts& facts) : facts_(facts) {}

  Explanation run() {
    take_verdict();
    name_spoilers();
    tell();
    std::stable_sort(result_.timeline.begin(), result_.timeline.end(), [](const auto& a, const auto& b) {
      return a.at.value_or(Wall::max()) < b.at.value_or(Wall::max());
    });
    draw();
    return std::move(result_);
  }

 private:
  void add(const std::optional<Wall>& at, std::string says) { result_.timeline.push_back({at, std::move(says)}); }

  void take_verdict() {
    std::string& vm = vm_;
    vm = facts_.backup ? facts_.backup->source_name : "";
    if (facts_.backup) {
      const kube::Metadata& meta = facts_.backup->metadata;
      result_.consistency = meta.annotation(freeze::kConsistency);
      result_.reason = meta.annotation(freeze::kReason);
      result_.frozen_for = meta.annotation(freeze::kFrozenFor);
      const auto& at = facts_.backup->error_time;
      result_.harvester_error = facts_.backup->error;
      if (at && !result_.harvester_error.empty()) result_.harvester_error += " (at " + format_time(*at) + ")";
    }
    for (const DiskFacts& disk : facts_.disks) {
      if (vm.empty()) vm = note_of(disk, freeze::kVmAnnotation);
      if (result_.frozen_for.empty()) result_.frozen_for = note_of(disk, freeze::kFrozenFor);
    }
    if (!facts_.backup) judge_labelled();
    const std::string kind = facts_.backup ? "backup " : "labelled snapshots ";
    result_.title = kind + facts_.namespace_ + "/" + facts_.name + " of VM " + (vm.empty() ? "?" : vm);
    result_.lane.vm = facts_.namespace_ + "/" + vm;
    result_.why = why();
  }

  // The worst verdict of any of them.
  void judge_labelled() {
    for (const DiskFacts& disk : facts_.disks) {
      const std::string said = note_of(disk, freeze::kConsistency);
      if (said.empty()) {
        result_.consistency.clear();
        return;
      }
      if (result_.consistency == to_string(freeze::Consistency::kCrash)) continue;
      result_.consistency = said;
      result_.reason = note_of(disk, freeze::kReason);
    }
  }

  Spoiled subject() const {
    std::vector<MadeSnapshot> snapshots;
    for (const DiskFacts& disk : facts_.disks) {
      if (disk.view) snapshots.push_back(MadeSnapshot::from(*disk.view));
    }
    Spoiled spoiled =
        spoiled_backup(vm_, facts_.backup ? facts_.backup->metadata.uid : "", snapshots, result_.frozen_for);
    if (facts_.session) spoiled.until.reset();
    return spoiled;
  }

  void name_spoilers() {
    const Spoiled spoiled = subject();
    for (const std::string& reason : reasons_of(facts_)) {
      const std::string because = reason + ": ";
      for (const std::string& phrase : spoilers_of(reason, spoiled, facts_.others)) {
        result_.spoilers.push_back(because + phrase);
      }
    }
    for (const std::string& unseen : facts_.others.unseen) result_.notes.push_back("not seen: " + unseen);
    for (const std::string& unseen : facts_.unseen) result_.notes.push_back("not seen: " + unseen);
    if (facts_.earlier_backups > 0) {
      result_.notes.push_back("not shown: " + std::to_string(facts_.earlier_backups) +
                              " earlier backups with the same label");
    }
  }

  std::string why() const {
    const std::string& said = result_.consistency;
    if (said == to_string(freeze::Consistency::kFilesystem)) {
      return "every disk was captured during one freeze of the guest's filesystems";
    }
    if (said == to_string(freeze::Consistency::kOffline)) {
      return "no guest ran from the first admission until the last capture: disks at rest";
    }
    if (!said.empty()) return explain_reason(result_.reason);
    if (facts_.session) return "the guest is still held for it";
    const bool admitted = std::any_of(facts_.disks.begin(), facts_.disks.end(),
                                      [](const DiskFacts& disk) { return !epoch_of(disk).empty(); });
    if (!result_.harvester_error.empty() && !admitted) {
      return "not known: Harvester failed, and none of its snapshots reached snapfreeze";
    }
    return "not known: it was made without snapfreeze, or has not been judged yet";
  }

  void tell() {
    if (facts_.backup) tell(*facts_.backup);
    for (const DiskFacts& disk : facts_.disks) tell(disk);
    if (facts_.session) tell(*facts_.session);
    for (const EventFacts& event : facts_.events) add(event.at, "verdict: " + event.note);
  }

  void tell(const kube::BackupView& backup) {
    add(backup.metadata.creation_timestamp, "backup created");
    if (backup.error.empty()) return;
    add(backup.error_time, "Harvester says that the backup failed: " + backup.error);
  }

  void tell(const DiskFacts& disk) {
    std::string line = disk.snapshot + ": ";
    if (!disk.view) {
      result_.disks.push_back(line + "does not exist");
      return;
    }
    const kube::SnapshotView& view = *disk.view;
    add(view.metadata.creation_timestamp, disk.snapshot + " " + admission_of(disk));
    if (captured(disk)) {
      const std::string by = disk.captured_by_storage ? disk.captured_by_storage->said_by : "the VolumeSnapshot";
      add(cut_of(disk), disk.snapshot + " captured, according to " + by);
    }
    const std::string said = note_of(disk, freeze::kConsistency);
    line += said.empty() ? "no verdict" : said;
    if (const std::string reason = note_of(disk, freeze::kReason); !reason.empty()) line += ", " + reason;
    line += captured(disk) ? "" : "; not captured";
    if (!view.error.empty()) line += "; " + view.error;
    result_.disks.push_back(line);
  }

  void tell(const freeze::Session& session) {
    add(session.created, "session " + session.uid.substr(0, kShortUid) + " began, for at most " +
                             std::to_string(session.timer.count()) + "s");
    if (session.frozen_by) add(session.frozen_by, "frozen by then");
    if (session.created) add(*session.created + session.timer, "the guest's own timer thaws it");
  }

  // The first admission is the beginning, as a guest is frozen before its first snapshot is stored.
  void draw() {
    Lane& lane = result_.lane;
    lane.title = result_.title;
    lane.verdict = result_.consistency + (result_.reason.empty() ? "" : " (" + result_.reason + ")");
    std::optional<Wall> begin;
    const auto earlier = [&](const std::optional<Wall>& at) {
      if (at && (!begin || *at < *begin)) begin = at;
    };
    for (const DiskFacts& disk : facts_.disks) {
      if (disk.view) earlier(disk.view->metadata.creation_timestamp);
      earlier(cut_of(disk));
    }
    if (!begin) return;
    const auto since = [&](Wall at) { return std::chrono::duration<double, std::milli>(at - *begin).count(); };
    lane.now = since(facts_.now);
    double proven = 0;  // what was captured during the freeze was so, whatever the clocks say
    for (const DiskFacts& disk : facts_.disks) {
      const auto at = cut_of(disk);
      if (!at) continue;
      lane.cuts.push_back({since(*at), disk.snapshot});
      const bool held = note_of(disk, freeze::kConsistency) == to_string(freeze::Consistency::kFilesystem);
      if (held) proven = std::max(proven, since(*at) + 1);
    }
    std::stable_sort(lane.cuts.begin(), lane.cuts.end(), [](const Cut& a, const Cut& b) { return a.at < b.at; });
    const auto frozen_for = parse_duration(result_.frozen_for);
    if (facts_.session) {
      lane.frozen.push_back({0, std::nullopt, "snapfreeze", ""});
    } else if (frozen_for) {
      const double until = std::max(static_cast<double>(frozen_for->count()), proven);
      lane.frozen.push_back({0, until, "snapfreeze", "snapfreeze"});
    }
  }

  const ExplainFacts& facts_;
  std::string vm_;
  Explanation result_;
};

}  // namespace

bool Explanation::consistent() const {
  return consistency == to_string(freeze::Consistency::kFilesystem) ||
         consistency == to_string(freeze::Consistency::kOffline);
}

std::vector<std::string> reasons_of(const ExplainFacts& facts) {
  std::vector<std::string> reasons;
  const auto add = [&](const std::string& reason) {
    const bool known = std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
    if (!reason.empty() && !known) reasons.push_back(reason);
  };
  if (facts.backup) add(facts.backup->metadata.annotation(freeze::kReason));
  for (const DiskFacts& disk : facts.disks) add(note_of(disk, freeze::kReason));
  return reasons;
}

Explanation explain(const ExplainFacts& facts) {
  return Explainer(facts).run();
}

}  // namespace snapfreeze::cli
