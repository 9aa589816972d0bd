// One scenario file as plain values. test/scenarios/README.md says what each key means.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "test/scenarios/runner/kinds.h"

namespace runner {

using snapfreeze::Millis;

// What an admin would set in the chart; only what a scenario needs.
struct Product {
  int webhooks = 2;
  int sweepers = 1;
  bool observe = false;
  bool thaw_on_ready = false;
  int max_freezes = 16;      // begun at once, a webhook replica
  bool longhorn_url = true;  // Longhorn's own REST API is asked
  Millis webhook_clock{0};
  Millis sweeper_clock{0};  // how far those machines' clocks are off the cluster's
};

struct Vm {
  std::string name;
  std::string namespace_ = "vms";
  int disks = 1;                    // claims <name>-disk-0, <name>-disk-1, ...
  std::vector<std::string> shares;  // claims of other VMs that it has too
  int hot_plugged = 0;              // claims <name>-hot-0, ..., of the running VMI only
  std::string state = "running";    // stopped, paused, powered-off, crashed
  bool agent = true;
  bool windows = false;
  bool opted_out = false;
  Millis freeze_takes{75};
  Millis thaw_takes{15};

  [[nodiscard]] std::string key() const { return namespace_ + "/" + name; }
  [[nodiscard]] int all_disks() const { return disks + static_cast<int>(shares.size()); }
};

// A pod of somebody else that mounts claims.
struct Pod {
  std::string name;
  std::string namespace_ = "vms";
  std::vector<std::string> mounts;
  Millis at{0};
  std::optional<Millis> lasts;  // nullopt: to the end
};

// What Longhorn's own REST API says of the snapshots of a disk.
struct Live {
  Millis delay{5};         // of each call
  bool lies = false;       // reports the cut before it is made
  bool removed = false;    // marked as removed
  bool by_system = false;  // the engine's own
  Millis vanishes{0};      // this long after it first appeared; 0: never
  int others = 0;          // snapshots of the same volume
};

struct Storage {
  std::string kind = "csi";
  Millis cut{50};      // from the snapshot's creation to the cut
  Millis uploaded{0};  // readyToUse follows the report of the cut after this time
  int errors = 0;      // attempts that fail before one succeeds; -1: all
  Millis error_every{2000};
  bool never = false;    // the cut never comes
  bool in_1970 = false;  // by the storage's clock
  bool confirms = true;  // an object reports the cut in the end
  Live live;
};

struct DiskStorage {
  std::string disk;
  Storage storage;
};

struct Harvester {
  int creates_twice = 0;  // so many disks of each backup are missing in its cache
  int first_round = -1;   // so many disks in its first reconcile; -1: all
  Millis second_round_after{2000};
  bool stops_at_failure = true;  // of one disk, as 1.9 does
  int retries = 5;               // of a backup in error when the controller starts ...
  Millis retry_every{160};       // ... so far apart
};

// A kind that the API server serves in another version, or not at all.
struct Served {
  const KindWord* kind = nullptr;
  std::string version;  // "": not at all
};

struct Backup {
  std::string name;
  std::string vm;
  Millis at{0};
  std::string freeze_deadline;  // as Harvester takes it; "": not set
  bool opted_out = false;
};

// A VolumeSnapshot that is not created by Harvester.
struct Snapshot {
  std::string name;
  std::string disk;
  std::string namespace_ = "vms";
  Millis at{0};
  std::string backup;                                      // label
  std::string vm;                                          // annotation
  std::string members;                                     // annotation, as written
  std::map<std::string, std::string> labels, annotations;  // more of them; with placeholders
  std::string by = "tenant";
  std::string owner;  // vm-snapshot, volume-group, clone, or copied-from-<backup>
  bool import = false;
  bool dry_run = false;
};

enum class Action {
  kFreeze,          // fails, fails-half-way, late
  kThaw,            // fails, late
  kApiServer,       // gone, slow, errors
  kWatches,         // cut, silent, expired, lag
  kLoseReply,       // of a verb
  kStop,            // a VM
  kStart,           //
  kRestart,         //
  kPause,           //
  kResume,          //
  kMigrate,         //
  kVmSnapshot,      // KubeVirt's own
  kFreezeByHand,    //
  kThawByHand,      //
  kPowerOff,        // from inside: the VMI stays
  kCrash,           // likewise
  kRecreate,        // a VM that was deleted
  kKubevirtBackup,  // of backup.kubevirt.io
  kPatch,           // any object, by anyone
  kCreate,          //
  kDelete,          //
  kStepClock,       // the API server's
  kRestoreEtcd,     // to what it held so long ago
  kHarvester,       // restarts
  kLonghorn,        // how its REST API answers
  kDeleteBackup,    //
  kDeleteSnapshot,  // of a disk
  kRejectSnapshot,  // after its admission
  kRetryBackup,     // Harvester reconciles once more
  kKill,            // webhooks, webhook-1, sweepers, sweeper-1
  kHang,            // likewise
};

struct Event {
  Action action = Action::kStop;
  std::string target;    // what the action's own key says
  Millis at{0};          // after the scenario's start
  std::string vm;        // whose guest calls, or disk
  std::string backup;    // of a snapshot
  std::string by;        // whose calls: snapfreeze, harvester, webhooks, sweepers, or "": anyone's
  int times = 1;         // how often; 0: always
  int first = 1;         // the first call that is hit
  int after_call = 0;    // kill, hang: after so many calls to the API server ...
  int before_call = 0;   // ... or just before the process sends that one
  std::string of;        // watches: of which kind; "": all
  bool tracker = false;  // a KubeVirt backup that names one
  bool fails = false;    // its end
  nlohmann::json with;   // what is patched or created, with placeholders
  Millis every{160};     // between retries
  Millis lasts{0};       // for, takes
  Millis late_by{0};
  std::optional<Millis> back_after{2000};  // kill: until Kubernetes has restarted it; nullopt: never
};

struct Verdict {
  std::string consistency;  // filesystem, offline, crash, none
  std::string reason;

  bool operator==(const Verdict&) const = default;
};
[[nodiscard]] std::string to_text(const Verdict& verdict);

enum class Field {
  kFreezes,
  kFreezesAtMost,
  kFrozenAtMost,
  kThawedBy,
  kStaysFrozen,
  kVerdict,
  kCompletesWithin,
  kThawedWithin,
  kAsked,         // Longhorn's REST API, at all
  kCalls,         // of it, at most
  kCallsASecond,  // of it, at most, in any second
};

// One thing that must hold at the end.
struct Expectation {
  Field field = Field::kFreezes;
  std::string of;     // VM or snapshot "namespace/name", backup "namespace/name", disk "namespace/backup/disk"
  std::string where;  // "file:line"
  int count = 0;
  std::optional<Millis> bound;  // nullopt: never
  std::string who;
  bool yes = false;
  std::vector<Verdict> verdicts;  // any of them
};

struct Scenario {
  std::string name;  // the file's, without folder and ending
  std::string title;
  Product product;
  std::vector<Vm> vms;
  Storage storage;
  std::vector<DiskStorage> disks;
  Harvester harvester;
  std::string kubevirt = "1.8";
  std::vector<Served> served;
  std::vector<Pod> pods;
  std::vector<std::string> namespaces_opted_out;
  std::vector<std::string> users_without_permission;
  bool webhook_called_twice = false;
  bool wrong_ca = false;  // the API server is told of one that signed no webhook's certificate
  std::vector<Backup> backups;
  std::vector<Snapshot> snapshots;
  std::vector<Event> events;
  std::string kill_after_each_call;  // webhook or sweeper: the runner makes one more run of each call
  std::string stop_at_each_call;     // likewise, two of each call: stopped for kStopped before and after it
  std::vector<Expectation> expectations;
  std::string suffix;  // of all its namespaces, where runs share a cluster

  // nullptr when there is none.
  [[nodiscard]] const Vm* find_vm(const std::string& vm) const;
  [[nodiscard]] const Backup* find_backup(const std::string& backup) const;
};

}  // namespace runner
