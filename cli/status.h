// What `status` shows: the guests that are frozen now, and what recent backups are worth. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "freeze/session.h"
#include "kube/views.h"

namespace snapfreeze::cli {

// As read from the API server.
struct StatusFacts {
  Wall now;  // the API server's clock, whole seconds, truncated
  std::string system_namespace;
  std::string trouble;  // why the sessions cannot be shown; "" when they can
  bool installed = false;
  std::vector<freeze::Session> sessions;
  std::vector<kube::SnapshotView> snapshots;  // of these sessions, and all that are labelled as somebody's backup
  std::set<std::string> captured;             // uids of those that the storage says to have cut
  std::vector<kube::BackupView> backups;
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
  bool overdue = false;  // frozen, as far as is known, for longer than its timer and what may come late
};

struct BackupLine {
  std::string namespace_;
  std::string name;
  std::string kind;  // "backup" or "snapshot" as Harvester says, or "label"
  std::string vm;
  std::optional<Wall> created;
  bool ready = false;
  int disks = 0;
  std::string consistency;  // "" when nobody has said
  std::string reason;
  std::string frozen_for;
};

struct Status {
  Wall now;
  std::string system_namespace;
  std::string trouble;
  bool installed = false;
  std::vector<FrozenGuest> frozen;  // since the longest first
  std::vector<BackupLine> backups;  // the newest first, no more than asked for

  [[nodiscard]] bool good() const;  // installed, and nobody is overdue
};

[[nodiscard]] Status status_of(const StatusFacts& facts, std::size_t most_backups);

struct StatusStyle {
  bool wide = false;
  bool colours = false;
};
[[nodiscard]] std::string to_text(const Status& status, const StatusStyle& style);

// Fields are added, never renamed: scripts read them.
[[nodiscard]] Json to_json(const Status& status);

}  // namespace snapfreeze::cli
