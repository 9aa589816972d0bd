// KubeVirt's guests: their filesystems, the launcher's timer, virt-api's freeze and unfreeze, and what else may happen
// to them. The rules are those of KubeVirt v1.6 - v1.9.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/cluster/agenda.h"
#include "test/cluster/http.h"
#include "test/cluster/runtime.h"
#include "test/cluster/truth.h"

namespace cluster {

class Store;

struct VmOptions {
  std::string ns = "vms";
  std::string name = "vm1";
  int disks = 1;  // PVCs <name>-disk-0 ...
  bool running = true;
  bool agent = true;
  bool windows = false;
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
  ~Guests();

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

  // Called with the lock held.
  [[nodiscard]] std::string vm_of_pvc(const std::string& ns, const std::string& pvc) const;  // "ns/name" or ""
  [[nodiscard]] bool agent_connected(const std::string& ns, const std::string& name) const;

 private:
  struct Guest;
  struct Call;

  Guest& find(const std::string& ns, const std::string& name);
  void power_on(Guest& guest);
  void power_off(Guest& guest);
  void publish_vmi(Guest& guest);
  void publish_vm(Guest& guest);
  void poll_soon(Guest& guest);
  void begin_call(Guest& guest, const std::shared_ptr<Call>& call, Millis late_by);
  void launcher_takes(const std::shared_ptr<Guest>& guest, const std::shared_ptr<Call>& call);
  void finish(const std::shared_ptr<Call>& call, int status, std::string message);
  void freeze_now(const std::shared_ptr<Guest>& guest, const std::shared_ptr<Call>& call);
  void thaw_now(const std::shared_ptr<Guest>& guest, const std::shared_ptr<Call>& call);
  void arm_timer(const std::shared_ptr<Guest>& guest, Millis timeout);
  void mark_frozen(const std::shared_ptr<Guest>& guest, const std::string& by, bool whole);
  void mark_thawed(Guest& guest, const std::string& by);
  void watch_vm_snapshots();
  void run_vm_snapshot(const std::string& vm, const Json& snapshot);

  Runtime& runtime_;
  Store& store_;
  Agenda& agenda_;
  Truth& truth_;
  Signal answered_;
  Millis vm_snapshot_duration_{2000};
  std::map<std::string, std::shared_ptr<Guest>> guests_;  // "ns/name"
};

}  // namespace cluster
