// KubeVirt's guests: their filesystems, the launcher's timer, virt-api's freeze and unfreeze, and what else may happen
// to them. The rules are those of KubeVirt v1.6 - v1.9.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/runtime/agenda.h"
#include "test/double/runtime/runtime.h"
#include "test/double/truth.h"

namespace cluster {

class Store;
struct ResourceType;

struct VmOptions {
  std::string ns = "vms";
  std::string name = "vm1";
  int disks = 1;        // PVCs <name>-disk-0 ...
  int hot_plugged = 0;  // PVCs <name>-hot-0 ..., of the VMI but not of the VM, each mounted by a pod of its own
  std::vector<std::string> shares;  // PVCs of other VMs that this one has too
  bool running = true;
  std::string ended;  // "Succeeded" or "Failed": not running, but its VMI is still there, in that phase
  bool agent = true;
  bool windows = false;
  Millis vss_limit{10000};     // after which VSS gives up by itself; a failing writer makes it do so earlier
  bool freeze_command = true;  // the agent takes guest-fsfreeze-freeze; this says so only, a freeze succeeds anyway
  Millis freeze_latency{75};
  Millis thaw_latency{15};
  std::map<std::string, std::string> annotations;  // of VM and VMI
};

enum class GuestFaultKind {
  kFail,     // answers 500, nothing is done. A thaw has cancelled the timer before it fails
  kHalfway,  // freeze only: answers 500, the guest is frozen, without timer
  kLate,     // nothing but the delay
};

struct GuestFault {
  std::string operation = "freeze";  // or "unfreeze"
  GuestFaultKind kind = GuestFaultKind::kFail;
  int nth = 1;         // the first call of this operation that it hits, from now on
  int count = 1;       // -1: all
  Millis delay{0};     // before the launcher takes it: virt-api gives up after 10 s, the launcher takes it up to 60 s
  std::string caller;  // exact; empty: anyone
};

// Public members lock by themselves and throw std::out_of_range for a VM that does not exist.
class Guests {
 public:
  Guests(Runtime& runtime, Store& store, Agenda& agenda, Truth& truth);

  void add(const VmOptions& options);
  void stop(const std::string& ns, const std::string& name);
  void start(const std::string& ns, const std::string& name);
  void restart(const std::string& ns, const std::string& name);  // a new VMI, with another uid
  // From inside, or by a crash: the VMI stays, in phase Succeeded or Failed.
  void shut_down_inside(const std::string& ns, const std::string& name);
  void crash(const std::string& ns, const std::string& name);
  // A reboot or a panic inside: the VMI stays, what was frozen is thawed, and the agent is away until it is up again.
  void reset(const std::string& ns, const std::string& name);
  // The VM's object too, and later one of the same name with the same disks; that one runs.
  void remove(const std::string& ns, const std::string& name);
  void recreate(const std::string& ns, const std::string& name);
  void pause(const std::string& ns, const std::string& name);
  void resume(const std::string& ns, const std::string& name);
  // Begins a live migration that completes after `duration`.
  void migrate(const std::string& ns, const std::string& name, Millis duration);
  void set_agent(const std::string& ns, const std::string& name, bool connected);
  void set_latency(const std::string& ns, const std::string& name, Millis freeze, Millis thaw);
  void add_fault(const std::string& ns, const std::string& name, GuestFault fault);
  void clear_faults();  // of all guests

  // KubeVirt's own snapshot of the VM, as if a user had created the object: it freezes at once and thaws at its end.
  void vm_snapshot(const std::string& ns, const std::string& vm, const std::string& name, Millis duration);
  // How long those take whose object is created through the API, also backups of backup.kubevirt.io.
  void set_vm_snapshot_duration(Millis duration);
  // KubeVirt's own backup (backup.kubevirt.io), directly of the VM or of a tracker of it.
  struct BackupOptions {
    std::string name = "kubevirt-backup";
    Millis duration{2000};
    bool tracker = false;
    bool fails = false;
  };
  void kubevirt_backup(const std::string& ns, const std::string& vm, const BackupOptions& options);
  // From 1.9 on such a backup ends with the condition Complete or Failed, up to 1.8 with Done.
  void set_version(int major, int minor);
  // What virt-handler says of all guests, said again: something else may have been written over it.
  void report_all();

  // PUT .../virtualmachineinstances/{name}/{freeze|unfreeze}. Blocks up to virt-api's 10 s; call without the lock.
  Reply subresource(const HttpRequest& request, const std::string& ns, const std::string& name,
                    const std::string& operation);

  // GET .../virtualmachineinstances/{name}/guestosinfo: what the agent says, 409 without one.
  Reply os_info(const std::string& ns, const std::string& name) const;

  // Called with the lock held.
  [[nodiscard]] std::string vm_of_pvc(const std::string& ns, const std::string& pvc) const;  // "ns/name" or ""
  [[nodiscard]] bool agent_connected(const std::string& ns, const std::string& name) const;

 private:
  struct Guest;
  struct Call;
  using GuestRef = std::shared_ptr<Guest>;
  using CallRef = std::shared_ptr<Call>;

  // guests.cpp: what happens to a guest
  GuestRef find(const std::string& ns, const std::string& name) const;
  void power_on(const GuestRef& guest);
  void power_off(const GuestRef& guest, const std::string& phase);
  void end_from_inside(const std::string& ns, const std::string& name, const std::string& phase);
  void shut_down(const GuestRef& guest, bool start_again);
  void watch_deletions();
  void complete_migration(const GuestRef& guest, std::uint64_t boot);

  // guest_objects.cpp: what the API shows of it
  void create_objects(const GuestRef& guest);
  void create_vm(const GuestRef& guest);
  void create_vmi(const GuestRef& guest);
  void publish_vmi(const Guest& guest);
  void publish_vm(const Guest& guest);
  void poll_soon(const GuestRef& guest);

  // pods.cpp: the pods that hold its disks
  void create_launcher(const GuestRef& guest);
  void create_attachments(const GuestRef& guest);
  void end_launcher(const GuestRef& guest, const std::string& pod, const std::string& phase);
  void end_pods(const GuestRef& guest, const std::string& phase);
  void hold_disks(const Guest& guest, bool on);

  // guest_calls.cpp: freeze and thaw
  CallRef begin(const GuestRef& guest, const std::string& operation, const std::string& by,
                std::chrono::seconds timeout);
  void launcher_takes(const GuestRef& guest, const CallRef& call);
  void agent_begins(const GuestRef& guest, const CallRef& call);
  void agent_ends(const GuestRef& guest, const CallRef& call);
  void freeze(const GuestRef& guest, const CallRef& call);
  void thaw(const GuestRef& guest, const CallRef& call);
  void mark_frozen(const GuestRef& guest, const CallRef& call, bool whole);
  void arm_timer(const GuestRef& guest, std::chrono::seconds timeout);
  void finish(const CallRef& call, int status, std::string message);

  // vm_snapshots.cpp: KubeVirt's own snapshots and backups
  void watch_vm_snapshots();
  void begin_vm_snapshot(const ResourceType& type, const std::string& ns, const std::string& name);
  GuestRef source_of(const Json& object) const;
  Json progress(const ResourceType& type, bool over, bool failed) const;
  void set_progress(const ResourceType& type, const std::string& ns, const std::string& name, bool over);
  void set_in_progress(const Guest& guest, const std::optional<std::string>& snapshot);
  void end_vm_snapshot(const ResourceType& type, const std::string& ns, const std::string& name);

  Runtime& runtime_;
  Store& store_;
  Agenda& agenda_;
  Truth& truth_;
  Signal answered_;
  bool has_done_ = true;                     // the condition of KubeVirt's own backups, until 1.8
  std::set<std::string> backups_that_fail_;  // "namespace/name"
  Millis vm_snapshot_duration_{2000};
  std::map<std::string, Millis> vm_snapshot_durations_;  // "namespace/name" of the snapshot
  std::map<std::string, GuestRef> guests_;               // "namespace/name"
};

}  // namespace cluster
