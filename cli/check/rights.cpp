#include "cli/check/rights.h"

#include <array>

namespace snapfreeze::cli {
namespace {

constexpr char kHarvesterGroup[] = "harvesterhci.io";
constexpr char kKubeVirtGroup[] = "kubevirt.io";
constexpr char kGuestGroup[] = "subresources.kubevirt.io";
constexpr char kSnapshotGroup[] = "snapshot.storage.k8s.io";
constexpr char kLeaseGroup[] = "coordination.k8s.io";
constexpr char kRegistrationGroup[] = "admissionregistration.k8s.io";
constexpr char kBackups[] = "virtualmachinebackups";
constexpr char kVmis[] = "virtualmachineinstances";
constexpr char kFreeze[] = "virtualmachineinstances/freeze";
constexpr char kUnfreeze[] = "virtualmachineinstances/unfreeze";
constexpr char kContents[] = "volumesnapshotcontents";
constexpr char kRegistrations[] = "mutatingwebhookconfigurations";

constexpr auto kWebhook = std::to_array<Right>({
    {"get", kHarvesterGroup, kBackups},
    {"get", kKubeVirtGroup, "virtualmachines"},
    {"get", kKubeVirtGroup, kVmis},
    {"list", kKubeVirtGroup, kVmis},
    {"get", kSnapshotGroup, "volumesnapshots"},
    {"list", kSnapshotGroup, "volumesnapshots"},
    {"update", kGuestGroup, kFreeze},
    {"update", kGuestGroup, kUnfreeze},
    {"create", "authorization.k8s.io", "subjectaccessreviews"},
    {"get", kLeaseGroup, "leases", true},
    {"create", kLeaseGroup, "leases", true},
    {"patch", kLeaseGroup, "leases", true},
});

constexpr auto kSweeper = std::to_array<Right>({
    {"list", kHarvesterGroup, kBackups},
    {"watch", kHarvesterGroup, kBackups},
    {"patch", kHarvesterGroup, kBackups},
    {"get", kKubeVirtGroup, "virtualmachines"},
    {"list", kKubeVirtGroup, "virtualmachines"},
    {"watch", kKubeVirtGroup, "virtualmachines"},
    {"get", kKubeVirtGroup, kVmis},
    {"list", kKubeVirtGroup, kVmis},
    {"watch", kKubeVirtGroup, kVmis},
    {"get", kSnapshotGroup, "volumesnapshots"},
    {"list", kSnapshotGroup, "volumesnapshots"},
    {"watch", kSnapshotGroup, "volumesnapshots"},
    {"patch", kSnapshotGroup, "volumesnapshots"},
    {"list", kSnapshotGroup, kContents},
    {"watch", kSnapshotGroup, kContents},
    {"list", "longhorn.io", "snapshots"},
    {"watch", "longhorn.io", "snapshots"},
    {"list", "snapshot.kubevirt.io", "virtualmachinesnapshots"},
    {"list", "backup.kubevirt.io", kBackups},
    {"list", "", "pods"},
    {"watch", "", "pods"},
    {"update", kGuestGroup, kUnfreeze},
    {"create", "", "events"},
    {"get", kLeaseGroup, "leases", true},
    {"list", kLeaseGroup, "leases", true},
    {"watch", kLeaseGroup, "leases", true},
    {"create", kLeaseGroup, "leases", true},
    {"patch", kLeaseGroup, "leases", true},
    {"delete", kLeaseGroup, "leases", true},
});

constexpr auto kKeeper = std::to_array<Right>({
    {"get", kRegistrationGroup, kRegistrations, false, "snapfreeze"},
    {"patch", kRegistrationGroup, kRegistrations, false, "snapfreeze"},
    {"get", "", "secrets", true, "snapfreeze-ca"},
    {"patch", "", "secrets", true, "snapfreeze-ca"},
    {"get", "", "secrets", true, "snapfreeze-tls"},
    {"patch", "", "secrets", true, "snapfreeze-tls"},
    {"create", "", "secrets", true},
});

constexpr auto kAdmin = std::to_array<Right>({
    {"get", kRegistrationGroup, kRegistrations, false, "snapfreeze"},
    {"get", kLeaseGroup, "leases", true},
    {"list", kLeaseGroup, "leases", true},
    {"create", kLeaseGroup, "leases", true},
    {"patch", kLeaseGroup, "leases", true},
    {"get", kHarvesterGroup, kBackups},
    {"list", kHarvesterGroup, kBackups},
    {"get", kSnapshotGroup, "volumesnapshots"},
    {"list", kSnapshotGroup, "volumesnapshots"},
    {"get", kSnapshotGroup, kContents},
    {"get", "longhorn.io", "snapshots"},
    {"get", kKubeVirtGroup, "virtualmachines"},
    {"list", kKubeVirtGroup, "virtualmachines"},
    {"get", kKubeVirtGroup, kVmis},
    {"list", kKubeVirtGroup, kVmis},
    {"list", "snapshot.kubevirt.io", "virtualmachinesnapshots"},
    {"list", "backup.kubevirt.io", kBackups},
    {"list", "", "pods"},
    {"get", kGuestGroup, "virtualmachineinstances/guestosinfo"},
    {"update", kGuestGroup, kUnfreeze},
    {"list", "", "events"},
});

}  // namespace

std::span<const Right> webhook_rights() {
  return kWebhook;
}

std::span<const Right> sweeper_rights() {
  return kSweeper;
}

std::span<const Right> keeper_rights() {
  return kKeeper;
}

std::span<const Right> admin_rights() {
  return kAdmin;
}

std::string to_string(const Right& right) {
  std::string text = std::string(right.verb) + " " + std::string(right.resource);
  if (!right.group.empty()) text += "." + std::string(right.group);
  if (!right.name.empty()) text += " \"" + std::string(right.name) + "\"";
  return text;
}

Json access_review(const Right& right, const std::string& own_namespace, const std::string& user) {
  const auto slash = right.resource.find('/');
  Json attributes =
      Json::object({{"verb", right.verb}, {"group", right.group}, {"resource", right.resource.substr(0, slash)}});
  if (slash != std::string_view::npos) attributes.set("subresource", right.resource.substr(slash + 1));
  if (right.own) attributes.set("namespace", own_namespace);
  if (!right.name.empty()) attributes.set("name", right.name);
  Json spec = Json::object({{"resourceAttributes", std::move(attributes)}});
  if (!user.empty()) spec.set("user", user);
  return Json::object({{"apiVersion", "authorization.k8s.io/v1"},
                       {"kind", user.empty() ? "SelfSubjectAccessReview" : "SubjectAccessReview"},
                       {"spec", std::move(spec)}});
}

}  // namespace snapfreeze::cli
