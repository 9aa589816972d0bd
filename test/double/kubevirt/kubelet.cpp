#include "test/double/kubevirt/kubelet.h"

#include "test/double/api/part.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto kStarts = 300ms;

// Its disks are the guest's, and KubeVirt starts and ends it.
bool is_kubevirts(const Json& pod) {
  return part(pod["metadata"], "labels").contains("kubevirt.io") && pod["metadata"].contains("ownerReferences");
}

std::string phase_of(const Json& pod) {
  return part(pod, "status").value("phase", "");
}

}  // namespace

Kubelet::Kubelet(Store& store, Agenda& agenda, Truth& truth)
    : store_(store), agenda_(agenda), truth_(truth), pods_(store.resources().at("", "pods")) {
  store_.observe("", "pods", [this](const WatchEvent& event) {
    if (!is_kubevirts(event.object->json)) follow(event);
  });
}

void Kubelet::follow(const WatchEvent& event) {
  const Json& pod = event.object->json;
  const std::string ns = pod["metadata"].value("namespace", "");
  const std::string name = pod["metadata"].value("name", "");
  if (event.type == EventType::kAdded && phase_of(pod).empty()) {
    agenda_.after(kStarts, [this, ns, name] { start(ns, name); });
  }
  const bool runs = event.type != EventType::kDeleted && phase_of(pod) == "Running";
  for (const Json& volume : part(part(pod, "spec"), "volumes")) {
    if (!volume.contains("persistentVolumeClaim")) continue;
    const std::string claim = ns + "/" + volume["persistentVolumeClaim"].value("claimName", "");
    const std::string by = "pod " + ns + "/" + name;
    const std::string key = by + " " + claim;
    if (runs == (holds_.count(key) != 0)) continue;
    if (runs) {
      holds_.insert(key);
    } else {
      holds_.erase(key);
    }
    truth_.held(claim, by, runs);
  }
}

void Kubelet::start(const std::string& ns, const std::string& name) {
  store_.update(pods_, ns, name, Store::Scope::kAll, [](Json& pod) -> std::optional<Reply> {
    pod["status"]["phase"] = "Running";
    return std::nullopt;
  });
}

}  // namespace cluster
