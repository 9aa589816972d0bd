// A fresh look at a namespace once guests in it are thawed: who else may have frozen or thawed them, what became of
// them, and who else has their disks. Nothing watched proves that nothing happened.
//
// Each list is read in pages, side by side with the others, and cut down at once to what these guests need: a namespace
// may hold thousands of finished backups. One look serves all sessions that ask for it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "freeze/fresh_look.h"
#include "freeze/interference.h"
#include "kube/views.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

struct LookJob {
  std::string namespace_;
  std::set<std::string> vms;      // the guests that it is for
  std::set<std::string> backups;  // uids; kept whichever VM they name
  Wall since = Wall::max();       // the earliest start among their sessions
  bool freezers = true;           // otherwise only the guests and the users of disks
};

struct Look {
  struct Backup {
    freeze::Freezer freezer;
    std::string consistency;  // the verdict that it has, or ""
    std::string reason;
  };

  std::string error;                            // not "": it failed, and all below is void
  std::vector<Backup> backups;                  // Harvester's
  std::vector<freeze::Freezer> kubevirt;        // KubeVirt's own snapshots and backups; the name says which
  std::map<std::string, kube::VmiView> guests;  // by name; without those that do not exist
  std::vector<freeze::DiskUser> users;          // all that had a disk since `since`

  [[nodiscard]] const Backup* backup(const std::string& uid) const;
  [[nodiscard]] std::optional<kube::VmiView> guest(const std::string& vm) const;
};

// One call a kind when each has one page: 5, or 2 without freezers. A kind whose version is gone is asked of discovery,
// once: what cannot be listed is an error, unless discovery says that it is not served. 40 s at most.
[[nodiscard]] std::shared_ptr<const Look> look(const Seams& seams, const LookJob& job);

}  // namespace snapfreeze::sweeper
