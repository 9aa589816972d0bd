#include "test/unit/webhook/world.h"

#include <stdexcept>

#include "base/time.h"
#include "freeze/lease.h"
#include "freeze/names.h"
#include "kube/paths.h"

namespace snapfreeze::test {
namespace {

webhook::Settings named(webhook::Settings settings) {
  if (settings.replica.empty()) settings.replica = "replica-1";
  return settings;
}

webhook::Review review_of(const std::string& name, const Json& object) {
  Json request = Json::object(
      {{"uid", "review-of-" + name},
       {"kind", Json::object({{"group", "snapshot.storage.k8s.io"}, {"version", "v1"}, {"kind", "VolumeSnapshot"}})},
       {"operation", "CREATE"},
       {"namespace", kNamespace},
       {"userInfo", Json::object({{"username", "alice"},
                                  {"uid", "alice-uid"},
                                  {"groups", Json::array({"staff"})},
                                  {"extra", json(R"({"scopes":["a"]})")}})},
       {"object", object}});
  if (!name.empty()) request.set("name", name);
  const Json review =
      Json::object({{"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}, {"request", request}});
  auto decoded = webhook::decode_review(review.dump());
  if (!decoded) throw std::invalid_argument(decoded.error().message);
  return *decoded;
}

}  // namespace

Json json(const std::string& text) {
  auto parsed = Json::parse(text);
  if (!parsed) throw std::invalid_argument(parsed.error().message + ": " + text);
  return *parsed;
}

std::string path_of(const kube::Resource& resource, const std::string& name) {
  return kube::object_path(resource, kNamespace, name);
}

Json backup(const std::string& name, const std::string& uid, const std::string& vm,
            const std::vector<std::string>& members, const std::string& deadline) {
  Json volumes = Json::array();
  for (const std::string& member : members) volumes.push(Json::object({{"name", member}}));
  Json spec = Json::object({{"source", Json::object({{"name", vm}})}, {"type", "backup"}});
  if (!deadline.empty()) spec.set("fsFreezeDeadline", deadline);
  const Json froze = Json::object({{freeze::kHarvesterFreezeAnnotation, "true"}});
  return Json::object(
      {{"metadata", Json::object({{"name", name}, {"namespace", kNamespace}, {"uid", uid}, {"annotations", froze}})},
       {"spec", spec},
       {"status", Json::object({{"volumeBackups", volumes}})}});
}

Json running_vmi(const std::string& name) {
  Json vmi = json(R"({"status": {"phase": "Running", "conditions": [{"type": "AgentConnected", "status": "True"}]},
                      "spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "pvc-0"}},
                                           {"dataVolume": {"name": "pvc-1"}}]}})");
  vmi.set("metadata", Json::object({{"name", name}, {"namespace", kNamespace}, {"uid", name + "-vmi-uid"}}));
  return vmi;
}

Json leader_lease() {
  return json(R"({"spec": {"holderIdentity": "sweeper-1", "leaseDurationSeconds": 15,
                           "renewTime": "2026-01-01T00:00:00.000000Z"}})");
}

webhook::Review harvester_review(const std::string& name, const std::string& backup_name, const std::string& backup_uid,
                                 const std::string& pvc) {
  const Json owner = Json::object({{"apiVersion", "harvesterhci.io/v1beta1"},
                                   {"kind", "VirtualMachineBackup"},
                                   {"name", backup_name},
                                   {"uid", backup_uid},
                                   {"controller", true}});
  Json metadata = Json::object({{"namespace", kNamespace}, {"ownerReferences", Json::array({owner})}});
  if (!name.empty()) metadata.set("name", name);
  const Json source = Json::object({{"source", Json::object({{"persistentVolumeClaimName", pvc}})}});
  return review_of(name, Json::object({{"metadata", metadata}, {"spec", source}}));
}

webhook::Review label_review(const std::string& name, const std::string& label, const std::string& annotations,
                             const std::string& pvc) {
  Json metadata = Json::object({{"namespace", kNamespace},
                                {"labels", Json::object({{freeze::kBackupLabel, label}})},
                                {"annotations", json(annotations)}});
  if (!name.empty()) metadata.set("name", name);
  const Json source = Json::object({{"source", Json::object({{"persistentVolumeClaimName", pvc}})}});
  return review_of(name, Json::object({{"metadata", metadata}, {"spec", source}}));
}

World::World(webhook::Settings settings)
    : admission({observed, clock, server_time, sessions, metrics}, sweeper, named(std::move(settings))) {
  api.objects[path_of(kube::kHarvesterBackups, "b1")] = backup("b1", kBackupUid, "vm1", {"disk-0", "disk-1", "disk-2"});
  api.objects[path_of(kube::kVirtualMachineInstances, "vm1")] = running_vmi("vm1");
  api.objects[path_of(kube::kVirtualMachines, "vm1")] = json(R"({"metadata": {"name": "vm1"},
      "spec": {"template": {"spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "pvc-0"}},
                                                 {"dataVolume": {"name": "pvc-1"}}]}}}})");
  sweeper.observe(leader_lease(), clock.monotonic());
}

webhook::Outcome World::admit(const webhook::Review& review, Millis budget) {
  return admission.admit(review, clock.monotonic(), clock.monotonic() + budget);
}

void World::store(const std::string& name, const webhook::Outcome& outcome, const std::string& label,
                  const std::string& pvc) {
  Json labels = Json::object({{freeze::kEpochLabel, outcome.marks ? outcome.marks->epoch : ""}});
  if (!label.empty()) labels.set(freeze::kBackupLabel, label);
  const Json metadata =
      Json::object({{"name", name}, {"labels", labels}, {"creationTimestamp", format_time(clock.wall())}});
  const Json spec = Json::object({{"source", Json::object({{"persistentVolumeClaimName", pvc}})}});
  api.objects[path_of(kube::kVolumeSnapshots, name)] = Json::object({{"metadata", metadata}, {"spec", spec}});
}

void World::set_deadline(const std::string& deadline) {
  api.objects[path_of(kube::kHarvesterBackups, "b1")] =
      backup("b1", kBackupUid, "vm1", {"disk-0", "disk-1", "disk-2"}, deadline);
}

void World::pass(Millis time) {
  clock.wait(time);
  Json lease = leader_lease();
  Json spec = lease["spec"];
  lease.set("spec", spec.set("renewTime", format_micro_time(clock.wall())));
  sweeper.observe(lease, clock.monotonic());
}

std::optional<freeze::Session> World::session() const {
  if (api.lease().is_null()) return std::nullopt;
  auto session = freeze::from_lease(api.lease());
  if (!session) throw std::invalid_argument(session.error().message);
  return *session;
}

void World::put_session(const std::function<void(freeze::Session&)>& change) {
  freeze::Session session;
  session.namespace_ = kNamespace;
  session.vm = "vm1";
  session.vmi_uid = "vm1-vmi-uid";
  session.timer = std::chrono::seconds(30);
  session.holder = "replica-2/another";
  session.phase = freeze::Phase::kFrozen;
  session.claims = {"pvc-0", "pvc-1"};
  session.holds = {{freeze::Hold::Kind::kHarvester, "b1", kBackupUid, 0}};
  change(session);
  const auto created = freeze::SessionStore(api, kOwnNamespace).create(session);
  if (!created) throw std::invalid_argument(created.error().message);
  api.ledger.clear();
}

}  // namespace snapfreeze::test
