// A fresh look at a namespace after guests in it are thawed: who else may have frozen or thawed them, what became of
// them, and who else has their disks. A watch cannot prove that nothing happened.
//
// Each list is read in pages, side by side with the others, and reduced at once to what these guests need, because a
// namespace may hold thousands of finished backups. One look serves all sessions that ask for it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "freeze/fresh_look.h"
#include "freeze/interference.h"
#include "freeze/verdict.h"
#include "kube/views.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

struct LookJob {
  std::string namespace_;
  // The guests that it is for, and up to which resourceVersion a watch has told of each. Later states are found again.
  std::map<std::string, std::string> vms;
  std::set<std::string> backups;  // uids; kept whichever VM they name
  Wall since = Wall::max();       // the earliest start among their sessions
  // The resourceVersion of that moment: pods and backups that have gone since are found again, and states of guests.
  // "": none is known, and they are not.
  std::string version;
  bool freezers = true;  // false: only the guests as they are, and the users of disks

  // Also for what began at that version.
  void reach_back_to(const std::string& other);
};

struct Look {
  struct Backup {
    freeze::Freezer freezer;
    std::optional<freeze::Verdict> verdict;  // that it has
  };

  // A state of a backup of Harvester's that is gone.
  struct Former {
    freeze::Freezer freezer;
    std::string version;
  };

  std::string error;                            // not "": the look failed, and the rest is void
  std::vector<Backup> backups;                  // Harvester's
  std::vector<Former> former;                   // at most 1000 of those since that version, in the order of time
  std::vector<freeze::Freezer> kubevirt;        // KubeVirt's own snapshots and backups; the name says which
  std::map<std::string, kube::VmiView> guests;  // by name; without those that do not exist
  std::vector<kube::VmiView> untold;            // at most 1000 states of guests that no watch has told of
  std::string gap;                              // not "": why there may be more of these
  std::vector<freeze::DiskUser> users;          // all that had a disk since `since`

  [[nodiscard]] const Backup* backup(const std::string& uid) const;
  [[nodiscard]] std::optional<kube::VmiView> guest(const std::string& vm) const;
};

// Makes one call for each kind if each has one page: 5, or 2 without freezers; and one for the pods of the moment
// `version`. Then it replays what became of the pods and of Harvester's backups, by a watch each that takes some 0.3 s,
// and of the guests, by another one, if their watch has not told. If the version of a kind is gone, it asks discovery,
// once. A kind that cannot be listed is an error, unless discovery says that it is not served. Takes at most 40 s for
// the lists.
[[nodiscard]] std::shared_ptr<const Look> look(const Seams& seams, const LookJob& job);

}  // namespace snapfreeze::sweeper
