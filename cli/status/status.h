// What `status` shows: the guests that are frozen now, and the verdicts of recent backups. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "cli/shared/spoilers.h"
#include "freeze/session.h"
#include "freeze/verdict.h"
#include "kube/views.h"

namespace snapfreeze::cli {

// A guest that reports that it is frozen although no session holds it.
struct UnheldGuest {
  kube::VmiView vmi;
  std::string kubevirt_snapshot;  // the one that KubeVirt takes now, with a freeze of its own; "" when there is none
};

// As read from the API server.
struct StatusFacts {
  Wall now;  // the API server's clock, whole seconds, truncated
  std::string system_namespace;
  std::string trouble;  // why the sessions cannot be shown; "" when they can
  bool installed = false;
  std::vector<freeze::Session> sessions;
  std::vector<kube::SnapshotView> snapshots;  // of these sessions, and all that are labelled as somebody's backup
  std::set<std::string> captured;             // uids of those that the storage says it has cut
  std::vector<kube::BackupView> backups;
  std::vector<UnheldGuest> unheld;
  bool guests_seen = true;                                   // whether VMIs could be listed
  bool backups_seen = true;                                  // whether Harvester's could
  std::map<std::string, std::vector<std::string>> spoilers;  // by key_of() of a backup: who spoiled its verdict
  std::vector<std::string> unseen;                           // what could not be read, and why
};

struct FrozenGuest {
  std::string namespace_;
  std::string vm;
  freeze::Phase phase = freeze::Phase::kFrozen;
  std::optional<Wall> since;
  std::optional<Wall> until;         // by KubeVirt's timer, at the latest
  std::vector<std::string> backups;  // "nightly", or "label/nightly"
  int captured = 0;
  int disks = 0;         // 0: not known yet
  bool overdue = false;  // frozen, as far as we know, for longer than its timer and any late call allow
  bool held = true;      // by a session; otherwise we know only that the guest reports that it is frozen
  bool expected = true;  // held, or KubeVirt's own snapshot is under way
};

struct BackupLine {
  std::string namespace_;
  std::string name;
  std::string kind;  // "backup" or "snapshot", as Harvester calls it, or "label"
  std::string vm;
  std::optional<Wall> created;
  bool ready = false;
  int disks = 0;
  std::optional<freeze::Verdict> verdict;  // nullopt: it has none
  std::string reason;                      // as it stands there: a newer version's, perhaps
  std::string frozen_for;
  std::string error;  // Harvester's own, of a backup that is not ready; "" when there is none
  std::optional<Wall> error_time;
  std::string uid;                      // of Harvester's backup; "" for a label
  std::vector<MadeSnapshot> snapshots;  // of a label's backup
  std::vector<std::string> spoilers;    // what caused the reason, by name
};

// "namespace/name" of a backup, or of a label's backup "namespace/label/name/<when it was made>".
[[nodiscard]] std::string key_of(const BackupLine& backup);

// The backups that `status` shows, without their spoilers: the newest first, no more than asked for.
[[nodiscard]] std::vector<BackupLine> newest_backups(const StatusFacts& facts, std::size_t most_backups);

struct Status {
  Wall now;
  std::string system_namespace;
  std::string trouble;
  bool installed = false;
  std::vector<FrozenGuest> frozen;  // the longest frozen first
  std::vector<BackupLine> backups;  // the newest first, no more than asked for
  bool guests_seen = true;
  bool backups_seen = true;
  std::vector<std::string> unseen;

  [[nodiscard]] bool good() const;      // installed, and no guest is overdue, or frozen for an unknown reason
  [[nodiscard]] bool complete() const;  // every guest that may be frozen could be seen
};

[[nodiscard]] Status status_of(const StatusFacts& facts, std::size_t most_backups);

}  // namespace snapfreeze::cli
