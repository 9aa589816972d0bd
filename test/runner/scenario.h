// One scenario file as plain values. test/scenarios/README.md says what each key means.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace runner {

using snapfreeze::Millis;

// What an admin would set in the chart; only what a scenario needs.
struct Product {
  int webhooks = 2;
  int sweepers = 1;
  bool observe = false;
  bool thaw_on_ready = false;
  int max_freezes = 16;  // begun at once, a webhook replica
  Millis webhook_clock{0};
  Millis sweeper_clock{0};  // how far those machines' clocks are off the cluster's
};

struct Vm {
  std::string name;
  std::string namespace_ = "vms";
  int disks = 1;  // claims <name>-disk-0, <name>-disk-1, ...
  std::string state = "running";
  bool agent = true;
  bool windows = false;
  bool opted_out = false;
  Millis freeze_takes{75};
  Millis thaw_takes{15};

  [[nodiscard]] std::string key() const { return namespace_ + "/" + name; }
};

struct Storage {
  std::string kind = "csi";
  Millis cut{50};        // from the snapshot's creation to the cut
  Millis uploaded{0};    // readyToUse so long after the cut was reported
  int errors = 0;        // so many attempts fail before one succeeds
  bool never = false;    // the cut never comes
  bool in_1970 = false;  // the storage's clock says so
};

struct DiskStorage {
  std::string disk;
  Storage storage;
};

struct Harvester {
  int creates_twice = 0;  // so many disks of each backup are missing in its cache
  int first_round = -1;   // so many disks in its first reconcile; -1: all
  Millis second_round_after{2000};
};

struct Backup {
  std::string name;
  std::string vm;
  Millis at{0};
  std::string freeze_deadline;  // as Harvester takes it; "": not set
  bool opted_out = false;
};

// A VolumeSnapshot that somebody else than Harvester creates.
struct Snapshot {
  std::string name;
  std::string disk;
  std::string namespace_ = "vms";
  Millis at{0};
  std::string backup;   // label
  std::string vm;       // annotation
  std::string members;  // annotation, as written
  std::string by = "tenant";
  std::string owner;  // vm-snapshot, volume-group, clone, or copied-from-<backup>
  bool import = false;
  bool dry_run = false;
};

enum class Action {
  kFreeze,          // fails, fails-half-way, late
  kThaw,            // fails, late
  kApiServer,       // gone, slow, errors
  kWatches,         // cut, silent, expired
  kLoseReply,       // of a verb
  kStop,            // a VM
  kStart,           //
  kRestart,         //
  kPause,           //
  kResume,          //
  kMigrate,         //
  kVmSnapshot,      // KubeVirt's own
  kFreezeByHand,    //
  kDeleteBackup,    //
  kDeleteSnapshot,  // of a disk
  kRejectSnapshot,  // after its admission
  kRetryBackup,     // Harvester reconciles once more
  kKill,            // webhooks, webhook-1, sweepers, sweeper-1
  kHang,            // likewise
};

struct Event {
  Action action = Action::kStop;
  std::string target;                      // what the action's own key says
  Millis at{0};                            // after the scenario's start
  std::string vm;                          // whose guest calls, or disk
  std::string backup;                      // of a snapshot
  std::string by;                          // whose calls: snapfreeze, harvester, webhooks, sweepers, or "": anyone's
  int times = 1;                           // how often; 0: always
  int first = 1;                           // the first call that is hit
  int after_call = 0;                      // kill: after so many calls to the API server
  Millis lasts{0};                         // for, takes, late-by
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
  std::vector<std::string> namespaces_opted_out;
  std::vector<std::string> users_without_permission;
  bool webhook_called_twice = false;
  bool wrong_ca = false;  // the API server is told of one that signed no webhook's certificate
  std::vector<Backup> backups;
  std::vector<Snapshot> snapshots;
  std::vector<Event> events;
  std::string kill_after_each_call;  // webhook or sweeper: the runner makes one more run of each call
  std::vector<Expectation> expectations;

  // nullptr when there is none.
  [[nodiscard]] const Vm* find_vm(const std::string& vm) const;
  [[nodiscard]] const Backup* find_backup(const std::string& backup) const;
};

}  // namespace runner
