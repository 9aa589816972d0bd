// The objects through which the storage says what it did: Longhorn's own, the content, the VolumeSnapshot.
#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/store.h"
#include "test/double/storage/storage_job.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto kCopyToSnapshot = 30ms;  // the snapshot controller, at its quickest
constexpr const char* kSize = "10737418240";
constexpr const char* kFinalizer = "snapshot.storage.kubernetes.io/volumesnapshot-bound-protection";

std::int64_t unix_nanos(Wall time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

const char* driver_of(StorageStyle style) {
  return style == StorageStyle::kCsi ? "hostpath.csi.k8s.io" : "driver.longhorn.io";
}

}  // namespace

void Storage::merge_status(const ResourceType& type, const std::string& ns, const std::string& name,
                           const Json& status) {
  store_.update(type, ns, name, Store::Scope::kAll, [&](Json& object) -> std::optional<Reply> {
    object["status"].merge_patch(status);
    return std::nullopt;
  });
}

// The PersistentVolume of a claim that is bound, which names the driver and, to Longhorn, the volume.
void Storage::make_volume(const Json& claim) {
  const Json& metadata = claim["metadata"];
  const std::string name = part(claim, "spec").value("volumeName", "");
  if (name.empty()) return;
  const auto own = disks_.find(metadata.value("namespace", "") + "/" + metadata.value("name", ""));
  const DiskOptions& options = own == disks_.end() ? default_ : own->second;
  const StorageStyle style = options.style;
  if (style != StorageStyle::kCsi) backend_.add_volume(name, options.live);
  store_.create(store_.resources().at("", "persistentvolumes"), "",
                {{"apiVersion", "v1"},
                 {"kind", "PersistentVolume"},
                 {"metadata", {{"name", name}}},
                 {"spec",
                  {{"csi", {{"driver", driver_of(style)}, {"volumeHandle", name}}},
                   {"claimRef",
                    {{"kind", "PersistentVolumeClaim"},
                     {"namespace", metadata["namespace"]},
                     {"name", metadata["name"]},
                     {"uid", metadata["uid"]}}}}},
                 {"status", {{"phase", "Bound"}}}});
}

void Storage::make_content(const JobRef& job) {
  if (job->made_content) return;
  job->made_content = true;
  store_.update(snapshots_, job->ns, job->name, Store::Scope::kAll, [](Json& snapshot) -> std::optional<Reply> {
    snapshot["metadata"]["finalizers"] = {kFinalizer};
    return std::nullopt;
  });
  if (job->is_longhorn()) make_longhorn_snapshot(job);
  const Json reference = {{"apiVersion", "snapshot.storage.k8s.io/v1"},
                          {"kind", "VolumeSnapshot"},
                          {"name", job->name},
                          {"namespace", job->ns},
                          {"uid", job->uid}};
  store_.create(contents_, "",
                {{"apiVersion", "snapshot.storage.k8s.io/v1"},
                 {"kind", "VolumeSnapshotContent"},
                 {"metadata", {{"name", job->content()}}},
                 {"spec",
                  {{"deletionPolicy", "Delete"},
                   {"driver", driver_of(job->options.style)},
                   {"source", {{"volumeHandle", job->volume}}},
                   {"volumeSnapshotClassName", "longhorn-snapshot"},
                   {"volumeSnapshotRef", reference}}}});
}

void Storage::make_longhorn_snapshot(const JobRef& job) {
  store_.create(longhorn_, kLonghornNamespace,
                {{"apiVersion", "longhorn.io/v1beta2"},
                 {"kind", "Snapshot"},
                 {"metadata", {{"name", job->longhorn()}}},
                 {"spec", {{"createSnapshot", true}, {"volume", job->volume}, {"labels", {{"type", "snap"}}}}},
                 {"status", {{"creationTime", nullptr}, {"readyToUse", false}}}});
}

void Storage::report_error(const JobRef& job) {
  make_content(job);
  const Json error = {{"message", "Failed to check and update snapshot content: rpc error: code = Internal"},
                      {"time", rfc3339(runtime_.wall())}};
  merge_status(contents_, "", job->content(), {{"readyToUse", false}, {"error", error}});
  merge_status(snapshots_, job->ns, job->name,
               {{"readyToUse", false}, {"error", error}, {"boundVolumeSnapshotContentName", job->content()}});
}

void Storage::report_requested(const JobRef& job) {
  make_content(job);
  merge_status(longhorn_, kLonghornNamespace, job->longhorn(), {{"requestedTime", rfc3339(job->reported_time())}});
}

void Storage::report_engine_monitor(const JobRef& job) {
  make_content(job);
  merge_status(longhorn_, kLonghornNamespace, job->longhorn(),
               {{"creationTime", rfc3339(job->reported_time())}, {"readyToUse", true}, {"size", 0}});
  at(runtime_.now() + runtime_.random(0ms, job->options.longhorn_poll), job, &Storage::report_content);
}

void Storage::report_content(const JobRef& job) {
  make_content(job);
  job->answered = true;
  merge_status(contents_, "", job->content(),
               {{"creationTime", unix_nanos(job->reported_time())},
                {"readyToUse", job->options.ready == 0ms},
                {"restoreSize", 10737418240},
                {"snapshotHandle", "snap://" + job->volume + "/" + job->longhorn()},
                {"error", nullptr}});
  const Mono usual = job->created + runtime_.random(job->options.status_low, job->options.status_high);
  at(std::max(usual, runtime_.now() + kCopyToSnapshot), job, &Storage::report_snapshot);
  if (job->options.ready != 0ms) at(runtime_.now() + job->options.ready, job, &Storage::report_ready);
}

void Storage::report_snapshot(const JobRef& job) {
  // A pre-provisioned one was cut long ago, elsewhere.
  const bool restored = job->pvc.empty();
  const Wall time = restored ? runtime_.wall() - 24h : job->reported_time();
  Json status = {{"creationTime", rfc3339(time)}, {"restoreSize", kSize}, {"error", nullptr}};
  status["boundVolumeSnapshotContentName"] = job->content();
  status["readyToUse"] = restored || job->options.ready == 0ms;
  merge_status(snapshots_, job->ns, job->name, status);
}

void Storage::report_ready(const JobRef& job) {
  merge_status(contents_, "", job->content(), {{"readyToUse", true}});
  merge_status(snapshots_, job->ns, job->name, {{"readyToUse", true}});
}

}  // namespace cluster
