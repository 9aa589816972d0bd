// KubeVirt's guests: their filesystems, the launcher's timer, virt-api's freeze and unfreeze, and what else may happen
// to them. The rules are those of KubeVirt v1.6 - v1.9.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/cluster/agenda.h"
#include "test/cluster/http.h"
#include "test/cluster/runtime.h"
#include "test/cluster/truth.h"

namespace cluster {

class Store;
struct ResourceType;

struct VmOptions {
  std::string ns = "vms";
  std::string name = "vm1";
  int disks = 1;  // PVCs <name>-disk-0 ...
  bool running = true;
  bool agent = true;
  bool windows = false;
  bool freeze_command = true;  // the agent takes guest-fsfreeze-freeze; this says so only, a freeze succeeds anyway
  Millis freeze_latency{75};
  Millis thaw_latency{15};
  std::map<std::string, std::string> annotations;  // of VM and VMI
};

enum class GuestFaultKind {
  kFail,     // answers 500, nothing is done. A thaw has cancelled the timer before it fails
  kHalfway,  // freeze only: answers 500, the guest is frozen, without timer
  kLate,     // reaches the launcher `delay` later; virt-api gives up after 10 s, the launcher takes it up to 60 s
};

struct GuestFault {
  std::string operation = "freeze";  // or "unfreeze"
  GuestFaultKind kind = GuestFaultKind::kFail;
  int nth = 1;    // the first call of this operation that it hits, from now on
  int count = 1;  // -1: all
  Millis delay{0};
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
  void pause(const std::string& ns, const std::string& name);
  void resume(const std::string& ns, const std::string& name);
  // Begins a live migration that completes after `duration`.
  void migrate(const std::string& ns, const std::string& name, Millis duration);
  void set_agent(const std::string& ns, const std::string& name, bool connected);
  void set_latency(const std::string& ns, const std::string& name, Millis freeze, Millis thaw);
  void add_fault(const std::string& ns, const std::string& name, GuestFault fault);

  // KubeVirt's own snapshot of the VM, as if a user had created the object: it freezes at once and thaws at its end.
  void vm_snapshot(const std::string& ns, const std::string& vm, const std::string& name, Millis duration);
  // How long those take whose object is created through the API, also backups of backup.kubevirt.io.
  void set_vm_snapshot_duration(Millis duration);

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
  void power_off(const GuestRef& guest);
  void shut_down(const GuestRef& guest, bool start_again);
  void complete_migration(const GuestRef& guest, std::uint64_t boot);

  // guest_objects.cpp: what the API shows of it
  void create_objects(const GuestRef& guest);
  void create_vmi(const GuestRef& guest);
  void publish_vmi(const Guest& guest);
  void publish_vm(const Guest& guest);
  void poll_soon(const GuestRef& guest);

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
  void end_vm_snapshot(const ResourceType& type, const std::string& ns, const std::string& name);

  Runtime& runtime_;
  Store& store_;
  Agenda& agenda_;
  Truth& truth_;
  Signal answered_;
  Millis vm_snapshot_duration_{2000};
  std::map<std::string, Millis> vm_snapshot_durations_;  // "namespace/name" of the snapshot
  std::map<std::string, GuestRef> guests_;               // "namespace/name"
};

}  // namespace cluster
