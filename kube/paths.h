// Where the API serves the kinds we use. Names are percent-encoded, so that no name can leave its path segment.
#pragma once

#include <string>
#include <string_view>

namespace snapfreeze::kube {

struct Resource {
  std::string_view group;  // "" is the core group
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;
};

inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr Resource kVolumeSnapshots{"snapshot.storage.k8s.io", "v1", "volumesnapshots", "VolumeSnapshot"};
inline constexpr Resource kVolumeSnapshotContents{"snapshot.storage.k8s.io", "v1", "volumesnapshotcontents",
                                                  "VolumeSnapshotContent", false};
// Longhorn keeps its objects in this namespace, Harvester's too. Whoever may write such objects elsewhere, says nothing
// of a disk.
inline constexpr char kLonghornNamespace[] = "longhorn-system";
// Longhorn's own record of a cut.
inline constexpr Resource kLonghornSnapshots{"longhorn.io", "v1beta2", "snapshots", "Snapshot"};
// Harvester's backup of a VM, which is not KubeVirt's kind of the same name.
inline constexpr Resource kHarvesterBackups{"harvesterhci.io", "v1beta1", "virtualmachinebackups",
                                            "VirtualMachineBackup"};
inline constexpr Resource kVirtualMachines{"kubevirt.io", "v1", "virtualmachines", "VirtualMachine"};
inline constexpr Resource kVirtualMachineInstances{"kubevirt.io", "v1", "virtualmachineinstances",
                                                   "VirtualMachineInstance"};
// Only for the subresources "freeze" and "unfreeze", which virt-api serves as an aggregated API.
inline constexpr Resource kGuestCalls{"subresources.kubevirt.io", "v1", "virtualmachineinstances",
                                      "VirtualMachineInstance"};
inline constexpr Resource kKubeVirtSnapshots{"snapshot.kubevirt.io", "v1beta1", "virtualmachinesnapshots",
                                             "VirtualMachineSnapshot"};
inline constexpr Resource kKubeVirtBackups{"backup.kubevirt.io", "v1alpha1", "virtualmachinebackups",
                                           "VirtualMachineBackup"};
inline constexpr Resource kSubjectAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews",
                                                "SubjectAccessReview", false};
// Of the core group: those of events.k8s.io may not carry the times that Harvester's UI sorts and filters by.
inline constexpr Resource kEvents{"", "v1", "events", "Event"};
inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource kMutatingWebhookConfigurations{
    "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", false};

// "group/version", or "v1" of the core group: the field apiVersion of an object.
[[nodiscard]] std::string api_version(const Resource& resource);

// An empty namespace means all of them; it is ignored for kinds without namespaces.
[[nodiscard]] std::string collection_path(const Resource& resource, std::string_view namespace_ = {});

// The part of the collection that the label selector picks.
[[nodiscard]] std::string labelled_path(const Resource& resource, std::string_view namespace_,
                                        std::string_view selector);

[[nodiscard]] std::string object_path(const Resource& resource, std::string_view namespace_, std::string_view name,
                                      std::string_view subresource = {});

// Whether `name` can be the name of an object (RFC 1123 subdomain). A user may send "..", and an API server cleans
// paths.
[[nodiscard]] bool is_object_name(std::string_view name);

// Encodes all but RFC 3986's unreserved characters, for path segments and query values.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace snapfreeze::kube
