#include "test/sim/edits.h"

#include <algorithm>

#include "freeze/names.h"
#include "test/sim/history.h"

namespace sim {
namespace {

using Body = cluster::Json;

struct Kind {
  const char* group;
  const char* version;
  const char* resource;
  const char* who;  // may change it
  const char* ns;
};

// What a tenant's role lets him write; Leases, which are only an admin's.
constexpr Kind kEdited[] = {
    {"snapshot.storage.k8s.io", "v1", "volumesnapshots", "tenant", kNamespace},
    {"harvesterhci.io", "v1beta1", "virtualmachinebackups", "tenant", kNamespace},
    {"kubevirt.io", "v1", "virtualmachines", "tenant", kNamespace},
    {"coordination.k8s.io", "v1", "leases", "admin", kOwnNamespace},
};

std::string target(const Kind& kind, const std::string& name) {
  return std::string("/apis/") + kind.group + "/" + kind.version + "/namespaces/" + kind.ns + "/" + kind.resource +
         "/" + name;
}

// Paths of all leaves that a merge patch can reach, but those that the API server itself keeps.
void leaves(const Body& json, const std::vector<std::string>& path, std::vector<std::vector<std::string>>& found) {
  static const std::vector<std::string> kKept = {"uid",        "resourceVersion", "creationTimestamp",
                                                 "generation", "managedFields",   "name",
                                                 "namespace",  "apiVersion",      "kind"};
  if (!json.is_object() || json.empty()) {
    found.push_back(path);
    return;
  }
  for (const auto& [key, value] : json.items()) {
    if (path.size() < 2 && std::find(kKept.begin(), kKept.end(), key) != kKept.end()) continue;
    auto deeper = path;
    deeper.push_back(key);
    leaves(value, deeper, found);
  }
}

Body patch_at(const std::vector<std::string>& path, const Body& value) {
  Body patch = value;
  for (auto key = path.rbegin(); key != path.rend(); ++key) patch = Body{{*key, patch}};
  return patch;
}

// What somebody may write there instead: nothing, something else, or what another object of the kind says.
Body other_value(History& history, const Body& now, const Body& elsewhere) {
  switch (history.dice.number(0, 3)) {
    case 0:
      return nullptr;
    case 1:
      return elsewhere;
    case 2:
      return now.is_string() ? Body("x" + now.get<std::string>()) : now.is_boolean() ? Body(!now.get<bool>()) : now;
    default:
      return now.is_string() ? Body("") : now.is_number() ? Body(0) : now.is_array() ? Body::array() : Body();
  }
}

// Who is concerned: what the judge cannot hold against us any more.
void note(History& history, const Kind& kind, const std::string& name, const Body& object) {
  const std::string resource = kind.resource;
  if (resource == "leases") history.records_touched.insert(name);
  if (resource == "virtualmachines") ++history.edited_names[name];
  if (resource == "virtualmachinebackups") {
    history.edited_backups.insert(name);
    history.undoable.insert(object["spec"].value("source", Body::object()).value("name", ""));
  }
}

const Body* at(const Body& json, const std::vector<std::string>& path) {
  const Body* found = &json;
  for (const std::string& key : path) {
    if (!found->is_object() || !found->contains(key)) return nullptr;
    found = &(*found)[key];
  }
  return found;
}

std::string edit(History& history, const Kind& kind, bool deletes) {
  std::vector<std::string> names = history.names(kind.group, kind.resource, kind.ns);
  if (!history.dice.one_in(3)) std::erase(names, snapfreeze::freeze::kLeaderLease);
  if (names.empty()) return "nothing";
  const std::string name = history.dice.of(names);
  const std::string group_resource = std::string(kind.group) + "/" + kind.resource;
  const Body object = history.cluster.get(group_resource, kind.ns, name);
  note(history, kind, name, object);
  if (deletes) {
    history.begin(kind.who, "DELETE", target(kind, name));
    return std::string("delete ") + kind.resource + "/" + name;
  }
  std::vector<std::vector<std::string>> paths;
  leaves(object, {}, paths);
  if (object.empty() || paths.empty()) return "nothing";
  const auto path = history.dice.of(paths);
  const Body another = history.cluster.get(group_resource, kind.ns, history.dice.of(names));
  const Body* elsewhere = at(another, path);
  const Body patch =
      patch_at(path, other_value(history, *at(object, path), elsewhere == nullptr ? Body() : *elsewhere));
  history.begin(kind.who, "PATCH", target(kind, name), patch);
  return std::string("patch ") + kind.resource + "/" + name + " " + patch.dump();
}

}  // namespace

void draw_edit(Dice& dice, Plan& plan) {
  const Kind& kind = kEdited[dice.number(0, static_cast<int>(std::size(kEdited)) - 1)];
  const bool deletes = dice.one_in(4) && std::string(kind.resource) != "virtualmachines";
  plan.events.push_back({dice.millis(0, 45000), std::string("somebody edits one of the ") + kind.resource,
                         [&kind, deletes](History& history) {
                           const std::string done = edit(history, kind, deletes);
                           history.cluster.locked([&] { history.cluster.truth().note("edit", "", done); });
                         },
                         0});
}

}  // namespace sim
