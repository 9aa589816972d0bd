// Harvester's backup controller (1.2 and later), as traces of the real one show it: it writes status.volumeBackups,
// then per disk, in random order, freezes the guest if its agent is connected and creates the VolumeSnapshot. It labels
// nothing and never unfreezes. A backup in error is alive, whatever its age: each start of the controller tries it
// again, several times in a row. A try creates a snapshot that is missing, after a freeze of its own, or writes
// status.error with a new time. One whose snapshots all exist is never frozen for again.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/api/watch_log.h"
#include "test/double/runtime/agenda.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

class Api;
class Store;
class Truth;

inline constexpr const char* kHarvesterGroup = "harvesterhci.io";
inline constexpr const char* kHarvesterBackups = "virtualmachinebackups";
inline constexpr const char* kHarvesterUser = "system:serviceaccount:harvester-system:harvester";

struct HarvesterOptions {
  Millis freeze_to_create_low{4}, freeze_to_create_high{50};
  Millis between_disks_low{30}, between_disks_high{70};
  int freeze_tries = 6;  // then the backup is in error
  Millis freeze_retry_low{45}, freeze_retry_high{70};
  int create_twice = 0;          // so many disks of each backup are missing in its cache: frozen for and created again
  int disks_first = -1;          // so many disks in the first reconcile (-1: all) ...
  Millis later{2000};            // ... and the others this much later
  bool in_order = false;         // disks in their order instead of a random one
  bool stops_at_failure = true;  // 1.9; 1.8 went on to the next disk
  int retries = 5;               // in a row, of a backup in error when the controller starts ...
  Millis retry_every{160};       // ... so far apart
};

class Harvester {
 public:
  // Backups in the store are taken by one of `workers` fibers.
  Harvester(Runtime& runtime, Store& store, Agenda& agenda, Api& api, Truth& truth, int workers = 10);
  ~Harvester();

  void stop();                                        // ends its fibers
  void set_options(const HarvesterOptions& options);  // locks
  // Reconciles a backup once more, or so many times, even one in error, as a retry long after it began: each disk
  // without a VolumeSnapshot is frozen for and created. Locks.
  void reconcile_again(const std::string& ns, const std::string& name, int times = 1, Millis every = Millis(160));
  // The controller starts anew: it reconciles every backup that is not ready. Locks.
  void restart();

 private:
  struct Disk {
    std::string snapshot, pvc;
  };
  enum class Outcome { kDone, kFreezeFailed, kFailed };

  void work();
  void enqueue(const std::string& key);
  void retry(const std::string& key, int times, Millis every);
  void reconcile(const std::string& ns, const std::string& name, bool retry);
  void try_again(const std::string& ns, const std::string& name);
  bool write_volume_backups(const std::string& ns, const std::string& name);
  bool take_snapshots(const std::string& ns, const std::string& name);
  Outcome take_missing(const std::string& ns, const std::string& name, std::size_t at_most);
  Outcome freeze_and_create(const std::string& ns, const std::string& name, const Disk& disk);
  std::vector<Disk> missing_disks(const std::string& ns, const std::string& name);
  bool annotate_freeze(const std::string& ns, const std::string& name, bool frozen);
  bool create_snapshot(const Json& backup, const Disk& disk);
  void follow_snapshots(const std::string& ns, const std::string& name);
  void set_error(const std::string& ns, const std::string& name, const std::string& message);

  [[nodiscard]] ObjectRef seen(const std::string& group, const std::string& resource, const std::string& ns,
                               const std::string& name);  // nullptr: it does not exist
  Json cached(const std::string& group, const std::string& resource, const std::string& ns, const std::string& name);
  Reply call(const std::string& method, const std::string& target, const Json& body);
  bool update(const std::string& ns, const Json& backup);
  HarvesterOptions options();

  Runtime& runtime_;
  Store& store_;
  Agenda& agenda_;
  Api& api_;
  Truth& truth_;
  HarvesterOptions options_;
  Signal queued_;
  std::deque<std::string> queue_;                          // "namespace/name"
  std::set<std::string> retries_;                          // to be reconciled although in error
  std::set<std::string> busy_;                             // one worker at a time takes a backup
  std::map<std::string, Mono> others_later_;               // backups of which the rest of the disks comes then
  std::map<std::string, std::set<std::string>> repeated_;  // snapshots created twice, by backup
  std::vector<FiberRef> workers_;
};

}  // namespace cluster
