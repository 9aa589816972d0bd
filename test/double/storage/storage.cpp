#include "test/double/storage/storage.h"

#include "test/double/api/fields.h"
#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/store.h"
#include "test/double/faults.h"
#include "test/double/kubevirt/guests.h"
#include "test/double/storage/storage_job.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

// The name of the backup that this snapshot is part of: its owner's, or the label's of the other way.
std::string backup_of(const Json& metadata) {
  for (const Json& owner : part(metadata, "ownerReferences")) {
    if (owner.value("kind", "") == "VirtualMachineBackup") return owner.value("name", "");
  }
  return part(metadata, "labels").value("snapfreeze.harvesterhci.io/backup", "");
}

}  // namespace

Storage::Storage(Runtime& runtime, Store& store, Agenda& agenda, Truth& truth, Guests& guests, Faults& faults,
                 LonghornBackend& backend)
    : runtime_(runtime),
      store_(store),
      agenda_(agenda),
      truth_(truth),
      guests_(guests),
      faults_(faults),
      backend_(backend),
      snapshots_(store.resources().at("snapshot.storage.k8s.io", "volumesnapshots")),
      contents_(store.resources().at("snapshot.storage.k8s.io", "volumesnapshotcontents")),
      longhorn_(store.resources().at("longhorn.io", "snapshots")) {
  store_.observe("snapshot.storage.k8s.io", "volumesnapshots", [this](const WatchEvent& event) {
    const Json& metadata = event.object->json["metadata"];
    const std::string uid = metadata.value("uid", "");
    if (event.type == EventType::kAdded) begin(event.object->json);
    if (event.type == EventType::kModified && metadata.contains("deletionTimestamp")) delete_soon(metadata);
    if (event.type == EventType::kDeleted) clean_up(uid);
  });
  store_.observe("", "persistentvolumeclaims", [this](const WatchEvent& event) {
    if (event.type != EventType::kAdded) return;
    agenda_.after(0ms, [this, claim = event.object] { make_volume(claim->json); });
  });
}

void Storage::set_default(const DiskOptions& options) {
  const Lock lock = runtime_.lock();
  default_ = options;
}

void Storage::set_disk(const std::string& ns, const std::string& pvc, const DiskOptions& options) {
  const Lock lock = runtime_.lock();
  disks_[ns + "/" + pvc] = options;
}

// While the API server is away the controllers can neither read nor write. They try again after 1 s, 2 s, 4 s, ..., as
// csi-snapshotter and snapshot-controller do by default: an outage of 5 s was seen to cost a snapshot more than twice
// that. What the driver was asked to do it does meanwhile.
void Storage::at(Mono when, const JobRef& job, Step step) {
  agenda_.at(when, [this, job, step] {
    const bool by_driver = step == &Storage::attempt && job->made_content;
    if (runtime_.now() < faults_.down_until() && !by_driver) {
      const Millis pause = job->backoff;
      job->backoff *= 2;
      return at(runtime_.now() + pause, job, step);
    }
    if (wanted(*job)) (this->*step)(job);
  });
}

bool Storage::wanted(const Job& job) const {
  const ObjectRef snapshot = store_.get(snapshots_, job.ns, job.name);
  return snapshot != nullptr && snapshot->json["metadata"]["uid"] == job.uid;
}

std::string Storage::volume_of(const std::string& ns, const std::string& pvc) const {
  const ObjectRef claim = store_.get(store_.resources().at("", "persistentvolumeclaims"), ns, pvc);
  return claim == nullptr ? "" : part(claim->json, "spec").value("volumeName", "");
}

void Storage::begin(const Json& snapshot) {
  const Json& metadata = snapshot["metadata"];
  const auto job = std::make_shared<Job>();
  job->ns = metadata.value("namespace", "");
  job->name = metadata.value("name", "");
  job->uid = metadata.value("uid", "");
  job->backup = backup_of(metadata);
  job->created = runtime_.now();
  const Json& source = part(part(snapshot, "spec"), "source");
  job->pvc = source.value("persistentVolumeClaimName", "");
  job->bound_to = source.value("volumeSnapshotContentName", "");
  const auto own = disks_.find(job->ns + "/" + job->pvc);
  job->options = own == disks_.end() ? default_ : own->second;
  job->volume = volume_of(job->ns, job->pvc);
  jobs_[job->uid] = job;
  if (job->is_longhorn() && job->options.live.lies) {
    backend_.add_snapshot(job->volume, job->longhorn(), rfc3339(runtime_.wall()));
  }
  if (job->pvc.empty()) return at(job->created + job->options.status_low, job, &Storage::report_snapshot);
  at(job->created + job->options.content, job, &Storage::make_content);
  if (!job->options.never) at(job->created + job->options.cut, job, &Storage::attempt);
}

void Storage::attempt(const JobRef& job) {
  if (job->options.fails || job->failures < job->options.interim_errors) {
    ++job->failures;
    report_error(job);
    return at(runtime_.now() + job->options.error_retry, job, &Storage::attempt);
  }
  cut(job);
}

void Storage::cut(const JobRef& job) {
  job->cut_at = runtime_.wall();
  truth_.cut(
      {runtime_.now(), job->ns, job->name, job->uid, job->pvc, guests_.vm_of_pvc(job->ns, job->pvc), job->backup});
  if (job->is_longhorn()) backend_.add_snapshot(job->volume, job->longhorn(), rfc3339(job->reported_time()));
  if (!job->options.reported) return;
  const Mono answered = runtime_.now() + job->options.driver_answer;
  if (!job->is_longhorn()) return at(answered, job, &Storage::report_content);
  if (job->options.style == StorageStyle::kLonghorn) at(answered, job, &Storage::report_requested);
  at(runtime_.now() + runtime_.random(0ms, job->options.engine_monitor), job, &Storage::report_engine_monitor);
}

void Storage::delete_soon(const Json& metadata) {
  const auto job = jobs_.find(metadata.value("uid", ""));
  if (job != jobs_.end()) return at(runtime_.now() + 50ms, job->second, &Storage::let_go);
  // One that a restored etcd has brought back.
  agenda_.after(50ms, [this, ns = metadata.value("namespace", ""), name = metadata.value("name", "")] {
    remove_finalizer(ns, name);
  });
}

// While the driver is at it, its sidecar deletes nothing: until then the snapshot only bears a deletionTimestamp.
void Storage::let_go(const JobRef& job) {
  if (job->answered || job->failures != 0) remove_finalizer(job->ns, job->name);
}

void Storage::remove_finalizer(const std::string& ns, const std::string& name) {
  store_.update(snapshots_, ns, name, Store::Scope::kAll, [](Json& snapshot) -> std::optional<Reply> {
    snapshot["metadata"].erase("finalizers");
    return std::nullopt;
  });
}

void Storage::clean_up(const std::string& uid) {
  const auto job = jobs_.find(uid);
  if (job != jobs_.end()) backend_.remove_snapshot(job->second->volume, job->second->longhorn());
  jobs_.erase(uid);
  agenda_.after(50ms, [this, uid] {
    store_.remove(contents_, "", "snapcontent-" + uid);
    store_.remove(longhorn_, kLonghornNamespace, "snapshot-" + uid);
  });
}

DiskOptions disk_options_from_json(const Json& json, DiskOptions base) {
  std::optional<std::int64_t> creation_time;
  Json live = Json::object();
  Fields()
      .field("style", base.style,
             {{"csi", StorageStyle::kCsi},
              {"longhorn", StorageStyle::kLonghorn},
              {"old-longhorn", StorageStyle::kOldLonghorn}})
      .field("cut", base.cut)
      .field("content", base.content)
      .field("driver_answer", base.driver_answer)
      .field("engine_monitor", base.engine_monitor)
      .field("longhorn_poll", base.longhorn_poll)
      .field("status_low", base.status_low)
      .field("status_high", base.status_high)
      .field("ready", base.ready)
      .field("interim_errors", base.interim_errors)
      .field("error_retry", base.error_retry)
      .field("fails", base.fails)
      .field("never", base.never)
      .field("creation_time", creation_time)
      .field("live", live)
      .field("reported", base.reported)
      .read(json, "disk.");
  base.live = live_options_from_json(live);
  if (creation_time) base.creation_time = Wall(std::chrono::seconds(*creation_time));
  return base;
}

}  // namespace cluster
