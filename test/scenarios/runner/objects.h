// The objects and paths that a scenario's words stand for; the same for all levels.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "test/scenarios/runner/scenario.h"

namespace runner {

using Json = nlohmann::json;

// Of the labels and annotations of snapfreeze.
inline constexpr char kPrefix[] = "snapfreeze.harvesterhci.io/";
inline constexpr char kBackupsOfHarvester[] = "harvesterhci.io/v1beta1/virtualmachinebackups";
inline constexpr char kVolumeSnapshots[] = "snapshot.storage.k8s.io/v1/volumesnapshots";

// `collection` is "group/version/resource", or "v1/resource" in the core. Without namespace: `ns` is "".
[[nodiscard]] std::string collection_path(const std::string& collection, const std::string& ns);
[[nodiscard]] std::string object_path(const std::string& collection, const std::string& ns, const std::string& name);

[[nodiscard]] std::string freeze_path(const std::string& ns, const std::string& vm);
[[nodiscard]] Json freeze_body(Millis lasts);
[[nodiscard]] std::string thaw_path(const std::string& ns, const std::string& vm);

[[nodiscard]] Json backup_object(const Backup& backup);
[[nodiscard]] Json pod_object(const Pod& pod);
// As Harvester calls it.
[[nodiscard]] std::string snapshot_name(const std::string& backup, const std::string& disk);

// The backup whose owner reference it copies, or "".
[[nodiscard]] std::string copied_backup(const Snapshot& snapshot);
[[nodiscard]] std::string creation_path(const Snapshot& snapshot);
// `copied`: the object of that backup, or null.
[[nodiscard]] Json snapshot_object(const Snapshot& snapshot, const Json& copied);

}  // namespace runner
