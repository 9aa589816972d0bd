#include "test/sim/edits.h"

#include <algorithm>
#include <string_view>

#include "freeze/names.h"
#include "test/sim/backups.h"
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
constexpr const Kind& kLeases = kEdited[3];

// How long somebody waits for a Lease to appear.
constexpr int kLooks = 100;
constexpr Millis kBetweenLooks{50};

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
  if (resource == "volumesnapshots") history.edited_snapshots.insert(name);
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

// What the object does not have yet, and what somebody may write there: our own keys, forged or out of place.
struct Addition {
  const char* resource;
  std::vector<std::string> path;
  std::vector<std::string> values;
};

Body add_something(History& history, const Kind& kind) {
  namespace freeze = snapfreeze::freeze;
  static const std::vector<Addition> kAll = {
      {"volumesnapshots", {"metadata", "labels", freeze::kBackupLabel}, {"nightly", "weekly", ""}},
      {"volumesnapshots", {"metadata", "labels", freeze::kEpochLabel}, {"none", "offline", "x"}},
      {"volumesnapshots", {"metadata", "labels", freeze::kConsistency}, {"filesystem", "crash"}},
      {"volumesnapshots", {"metadata", "annotations", freeze::kMembersAnnotation}, {"0", "1", "2", "99", "-1", "x"}},
      {"volumesnapshots", {"metadata", "annotations", freeze::kVmAnnotation}, {"vm0", "vm1", "", "x"}},
      {"volumesnapshots", {"metadata", "annotations", freeze::kBackupAnnotation}, {"b0", "b1", "x"}},
      {"volumesnapshots", {"metadata", "annotations", freeze::kConsistency}, {"filesystem", "offline", "crash", "x"}},
      {"virtualmachinebackups",
       {"metadata", "annotations", freeze::kConsistency},
       {"filesystem", "offline", "crash", "x"}},
      {"virtualmachinebackups", {"metadata", "annotations", freeze::kReason}, {"lapsed", "x"}},
      {"virtualmachines", {"metadata", "annotations", freeze::kSkipAnnotation}, {"true", "false", ""}},
      {"virtualmachines", {"metadata", "annotations", freeze::kHarvesterFreezeAnnotation}, {"true", "false"}},
      {"leases", {"metadata", "annotations", freeze::kConsistency}, {"filesystem", "x"}},
      {"leases", {"spec", "holderIdentity"}, {"sweeper-0_0", "sweeper-1_0", "nobody"}},
  };
  std::vector<const Addition*> fitting;
  for (const Addition& one : kAll) {
    if (std::string_view(one.resource) == kind.resource) fitting.push_back(&one);
  }
  const Addition& chosen = *history.dice.of(fitting);
  return patch_at(chosen.path, history.dice.of(chosen.values));
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
    if (std::string(kind.resource) == "leases") history.records_deleted.insert(name);
    history.begin(kind.who, "DELETE", target(kind, name));
    return std::string("delete ") + kind.resource + "/" + name;
  }
  const auto write = [&](const Body& patch) {
    history.begin(kind.who, "PATCH", target(kind, name), patch);
    return std::string("patch ") + kind.resource + "/" + name + " " + patch.dump();
  };
  if (history.dice.one_in(3)) return write(add_something(history, kind));
  std::vector<std::vector<std::string>> paths;
  leaves(object, {}, paths);
  if (object.empty() || paths.empty()) return "nothing";
  const auto path = history.dice.of(paths);
  const Body another = history.cluster.get(group_resource, kind.ns, history.dice.of(names));
  const Body* elsewhere = at(another, path);
  return write(patch_at(path, other_value(history, *at(object, path), elsewhere == nullptr ? Body() : *elsewhere)));
}

void act(History& history, const Kind& kind, bool deletes) {
  const std::string done = edit(history, kind, deletes);
  history.cluster.locked([&] { history.cluster.truth().note("edit", "", done); });
}

// A session is short: whoever wants to see its Lease must wait for it.
void act_on_next_lease(History& history, bool deletes, Millis after) {
  for (int looks = 0; looks < kLooks; ++looks) {
    const auto leases = history.names(kLeases.group, kLeases.resource, kLeases.ns);
    const auto leaders = std::count(leases.begin(), leases.end(), snapfreeze::freeze::kLeaderLease);
    if (leases.size() > static_cast<std::size_t>(leaders)) break;
    history.runtime.sleep_for(kBetweenLooks);
  }
  history.runtime.sleep_for(after);
  act(history, kLeases, deletes);
}

void edit_next_lease(Dice& dice, Plan& plan, bool deletes) {
  const When at = plan.moment(dice);
  const Millis after = dice.one_in(2) ? dice.millis(0, 100) : dice.millis(0, 2000);
  plan.add(at, std::string("somebody ") + (deletes ? "deletes" : "edits") + " the next Lease", [=](History& one) {
    one.runtime.spawn("editor", [&one, deletes, after] { act_on_next_lease(one, deletes, after); });
  });
  plan.add(at + kLooks * kBetweenLooks + after, "that somebody is gone by now", [](History&) {});
}

// Of those that have not been cut yet, it is the likeliest.
std::string newest(History& history, const Kind& kind, const std::vector<std::string>& names) {
  std::pair<int, std::string> best{-1, ""};
  for (const std::string& name : names) {
    const Body object = history.cluster.get(std::string(kind.group) + "/" + kind.resource, kind.ns, name);
    if (object.is_null()) continue;
    best = std::max(best, {std::stoi(object["metadata"]["resourceVersion"].get<std::string>()), name});
  }
  return best.second;
}

// The epoch of a session, on a snapshot that it has not admitted.
void plant_epoch(History& history) {
  const Kind& snapshots = kEdited[0];
  const auto names = history.names(snapshots.group, snapshots.resource, snapshots.ns);
  for (const std::string& lease : history.names("coordination.k8s.io", "leases", kOwnNamespace)) {
    if (lease == snapfreeze::freeze::kLeaderLease || names.empty()) continue;
    const Body object = history.cluster.get("coordination.k8s.io/leases", kOwnNamespace, lease);
    const std::string name = history.dice.one_in(2) ? newest(history, snapshots, names) : history.dice.of(names);
    history.edited_snapshots.insert(name);
    history.begin("tenant", "PATCH", target(snapshots, name),
                  {{"metadata", {{"labels", {{snapfreeze::freeze::kEpochLabel, object["metadata"]["uid"]}}}}}});
  }
}

// A session whose own disks are not cut, and which a snapshot of another VM's disk claims to belong to. The guest must
// cool down.
void draw_foreign_member(Dice& dice, Plan& plan) {
  const Begin begin = dice.of(plan.begins);
  for (auto& [claim, disk] : plan.disks) disk.never = disk.never || claim.starts_with(begin.vm + "-disk-");
  const When at = {begin.at, Aim{Moment::kFreeze, begin.vm, 2}, dice.millis(50, 500)};
  add_plain_snapshot(plan, at, dice.of(plan.vms).name + "-disk-0");
  plan.add(at + dice.millis(100, 300), "somebody plants an epoch", plant_epoch);
  draw_one_more_of(dice, plan, begin.vm, at + dice.millis(4000, 60000));
}

// Also of a snapshot that is nobody's backup, and older than the session.
void draw_planted_epoch(Dice& dice, Plan& plan) {
  if (dice.one_in(4)) return draw_foreign_member(dice, plan);
  When at = plan.moment(dice);
  const std::string vm = plan.any_vm(dice);
  if (dice.one_in(2)) {
    at = {at.at, Aim{Moment::kFreeze, vm, dice.number(1, 2)}, dice.millis(0, 1000)};
    add_plain_snapshot(plan, {std::max(Millis(kFirstEvent), at.at - dice.millis(1000, 5000)), {}}, vm + "-disk-0");
  }
  plan.add(at, "somebody plants an epoch", plant_epoch);
}

}  // namespace

void draw_edit(Dice& dice, Plan& plan) {
  plan.hinders_us = true;
  const int which = dice.number(0, static_cast<int>(std::size(kEdited)));
  if (which == std::ssize(kEdited)) return draw_planted_epoch(dice, plan);
  const Kind& kind = kEdited[which];
  if (&kind == &kLeases) return edit_next_lease(dice, plan, dice.one_in(2));
  const bool deletes = dice.one_in(4) && std::string_view(kind.resource) != "virtualmachines";
  plan.add(plan.moment(dice), std::string("somebody edits one of the ") + kind.resource,
           [&kind, deletes](History& one) { act(one, kind, deletes); });
}

void draw_deletion_of_a_lease(Dice& dice, Plan& plan) {
  plan.hinders_us = true;
  edit_next_lease(dice, plan, true);
}

}  // namespace sim
