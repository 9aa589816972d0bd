#include "cli/shared/capture_reads.h"

#include "base/time.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/views.h"

namespace snapfreeze::cli {
namespace {

std::optional<Wall> longhorn_time(const Json& status) {
  const std::string& requested = status["requestedTime"].string();
  const auto time = parse_time(requested.empty() ? status["creationTime"].string() : requested);
  return time ? std::optional<Wall>(*time) : std::nullopt;
}

// Nanoseconds since 1970.
std::optional<Wall> content_time(const Json& status) {
  const auto nanos = status["creationTime"].integer();
  if (!nanos) return std::nullopt;
  return Wall(std::chrono::duration_cast<Wall::duration>(std::chrono::nanoseconds(*nanos)));
}

// Once for each kind: the others fail for the same reason.
void note_unseen(const kube::Resource& resource, const Result<Json>& object, bool& noted,
                 std::vector<std::string>& unseen) {
  if (object || object.error().code == Code::kNotFound || noted) return;
  noted = true;
  unseen.push_back("what " + std::string(resource.plural) + "." + std::string(resource.group) +
                   " say of the captures: " + object.error().message);
}

}  // namespace

std::map<std::string, Capture> read_captures(kube::KubeApi& api, const std::vector<std::string>& uids,
                                             std::vector<std::string>& unseen) {
  std::vector<kube::Request> requests;
  for (const std::string& uid : uids) {
    requests.push_back(
        kube::get_request(kube::object_path(kube::kLonghornSnapshots, kube::kLonghornNamespace, "snapshot-" + uid)));
    requests.push_back(kube::get_request(kube::object_path(kube::kVolumeSnapshotContents, "", "snapcontent-" + uid)));
  }
  const auto replies = api.call_all(requests);
  std::map<std::string, Capture> captures;
  bool longhorn_noted = false;
  bool content_noted = false;
  for (std::size_t i = 0; i < uids.size(); ++i) {
    const auto longhorn = kube::object_of(replies[2 * i]);
    const auto content = kube::object_of(replies[2 * i + 1]);
    note_unseen(kube::kLonghornSnapshots, longhorn, longhorn_noted, unseen);
    note_unseen(kube::kVolumeSnapshotContents, content, content_noted, unseen);
    if (longhorn && kube::LonghornSnapshotView::from(*longhorn).captured) {
      captures[uids[i]] = {"Longhorn", longhorn_time((*longhorn)["status"])};
    } else if (content && kube::ContentView::from(*content).captured) {
      captures[uids[i]] = {"the content", content_time((*content)["status"])};
    }
  }
  return captures;
}

}  // namespace snapfreeze::cli
