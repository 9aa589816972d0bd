// One in-memory cluster: API server, KubeVirt, Harvester, storage. What it knows of them it has from their documented
// and measured behaviour, and it shares no rule with the program under test.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "test/double/api/access.h"
#include "test/double/api/admission.h"
#include "test/double/api/api.h"
#include "test/double/api/store.h"
#include "test/double/faults.h"
#include "test/double/harvester/harvester.h"
#include "test/double/kubevirt/guests.h"
#include "test/double/kubevirt/kubelet.h"
#include "test/double/runtime/agenda.h"
#include "test/double/runtime/runtime.h"
#include "test/double/storage/longhorn_backend.h"
#include "test/double/storage/storage.h"
#include "test/double/truth.h"

namespace cluster {

// The parts marked "lock held" in their headers are reached through `locked`; the convenience members below lock.
class Cluster {
 public:
  explicit Cluster(Runtime& runtime);
  ~Cluster();

  Runtime& runtime() { return runtime_; }
  Store& store() { return store_; }     // lock held
  Truth& truth() { return truth_; }     // lock held
  Faults& faults() { return faults_; }  // lock held
  Access& access() { return access_; }  // lock held
  Api& api() { return api_; }
  Admission& admission() { return admission_; }
  Guests& guests() { return guests_; }
  Harvester& harvester() { return harvester_; }
  Storage& storage() { return storage_; }
  LonghornBackend& longhorn() { return longhorn_; }

  template <class Function>
  auto locked(const Function& function) {
    const Lock lock = runtime_.lock();
    return function();
  }

  // A VM with its PVCs; the namespace is made when it is not there.
  void add_vm(const VmOptions& options = {});
  void add_namespace(const std::string& name, const std::map<std::string, std::string>& labels = {});

  // As an admin: creates a Harvester backup of the VM. `deadline`: spec.fsFreezeDeadline, "" leaves it out.
  Json start_backup(const std::string& ns, const std::string& name, const std::string& vm,
                    const std::string& deadline = "", const Json& annotations = Json::object());
  // As `caller`: creates a VolumeSnapshot of the PVC with these labels and annotations; the reply as it came.
  Reply create_snapshot(const std::string& caller, const std::string& ns, const std::string& name,
                        const std::string& pvc, const Json& labels = Json::object(),
                        const Json& annotations = Json::object());
  // Any request, as `caller`. Target with query, percent-encoded.
  Reply call(const std::string& caller, const std::string& method, const std::string& target, const Json& body = {},
             const std::string& content_type = "application/json");
  // The stored object or null: "harvesterhci.io/virtualmachinebackups", "vms", "b1". The core group is "".
  Json get(const std::string& group_resource, const std::string& ns, const std::string& name);

  void add_fault(const Fault& fault);
  // etcd goes back to what it held so long ago; the API server restarts, so that all watches end. What the controllers
  // know of guests they report again. Throws std::out_of_range when history does not reach back so far.
  void restore_etcd(Millis ago);
  void api_down_for(Millis duration);

 private:
  Runtime& runtime_;
  Agenda agenda_;
  Store store_;
  Truth truth_;
  Faults faults_;
  Access access_;
  Guests guests_;
  Admission admission_;
  Api api_;
  LonghornBackend longhorn_;
  Storage storage_;
  Kubelet kubelet_;
  Harvester harvester_;
};

}  // namespace cluster
