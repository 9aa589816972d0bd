#include "test/sim/backups.h"

#include <algorithm>

#include "test/sim/history.h"

namespace sim {
namespace {

using Body = cluster::Json;

void snapshot_of(Plan& plan, const When& at, const std::string& name, const std::string& claim, Body labels,
                 Body annotations) {
  plan.add(
      at, "snapshot " + name + " of " + claim + " by a tenant, " + labels.dump() + annotations.dump(),
      [=](History& history) {
        history.begin(
            "tenant", "POST", path_of("snapshot.storage.k8s.io/v1", "volumesnapshots"),
            {{"apiVersion", "snapshot.storage.k8s.io/v1"},
             {"kind", "VolumeSnapshot"},
             {"metadata", {{"name", name}, {"labels", labels}, {"annotations", annotations}}},
             {"spec",
              {{"source", {{"persistentVolumeClaimName", claim}}}, {"volumeSnapshotClassName", "longhorn-snapshot"}}}});
      });
}

void delete_backup(Plan& plan, const When& at, const std::string& name) {
  ++plan.accidents;
  plan.add(at, "somebody deletes the backup " + name, [=](History& history) {
    const auto backup = history.cluster.get("harvesterhci.io/virtualmachinebackups", kNamespace, name);
    if (backup.is_null()) return;
    history.undoable.insert(backup["spec"]["source"]["name"]);
    history.edited_backups.insert(name);
    history.begin("admin", "DELETE", path_of("harvesterhci.io/v1beta1", "virtualmachinebackups", name));
  });
}

void draw_labelled(Dice& dice, Plan& plan) {
  const std::string vm = dice.of(plan.vms).name;
  const Millis at = dice.millis(kFirstEvent, 40000);
  plan.begins.push_back({vm, at});
  draw_labelled(dice, plan, vm, {at, {}});
}

std::string draw_deadline(Dice& dice) {
  return dice.of<std::string>({"", "", "1s", "5s", "6s", "10s", "30s", "90s", "0s", "0s"});
}

void add_backup(Plan& plan, const When& at, const Backup& backup) {
  plan.backups.push_back(backup);
  plan.add(at, "backup " + backup.name + " of " + backup.vm + " with deadline '" + backup.deadline + "'",
           [=](History& history) { history.back_up(backup.name, backup.vm, backup.deadline); });
}

}  // namespace

void draw_labelled(Dice& dice, Plan& plan, const std::string& name, const When& at) {
  const auto& vm = *std::find_if(plan.vms.begin(), plan.vms.end(), [&](const auto& one) { return one.name == name; });
  const std::string label = dice.of<std::string>({"nightly", "nightly", "weekly"});
  const std::string whose = dice.one_in(8) ? dice.of(plan.vms).name : vm.name;
  plan.labelled.insert({vm.name, whose});
  const bool counted = dice.one_in(2);
  const bool named = dice.one_in(2);
  const int count = dice.one_in(6) ? vm.disks + dice.of({-1, 1}) : vm.disks;
  const std::string prefix = label + "-" + std::to_string(at.at.count()) + "-";
  for (int disk = 0; disk < vm.disks; ++disk) {
    Body annotations = Body::object();
    if (counted) annotations["snapfreeze.harvesterhci.io/members"] = std::to_string(count);
    if (named) annotations["snapfreeze.harvesterhci.io/vm"] = whose;
    snapshot_of(plan, at + disk * dice.millis(0, 1500), prefix + std::to_string(disk),
                vm.name + "-disk-" + std::to_string(disk), {{"snapfreeze.harvesterhci.io/backup", label}}, annotations);
  }
}

void add_backup_of(Plan& plan, const std::string& vm, const std::string& deadline, const When& at) {
  add_backup(plan, at, {"b" + std::to_string(plan.backups.size()), vm, deadline});
}

void add_plain_snapshot(Plan& plan, const When& at, const std::string& claim) {
  snapshot_of(plan, at, "plain-" + std::to_string(plan.events.size()), claim, Body::object(), Body::object());
}

void draw_one_more(Dice& dice, Plan& plan, const When& at) {
  draw_one_more_of(dice, plan, plan.any_vm(dice), at);
}

void draw_one_more_of(Dice& dice, Plan& plan, const std::string& vm, const When& at) {
  add_backup_of(plan, vm, draw_deadline(dice), at);
  if (dice.one_in(4)) delete_backup(plan, at + dice.millis(50, 6000), plan.backups.back().name);
}

void draw_backups(Dice& dice, Plan& plan) {
  const int backups = dice.number(1, 4);
  Millis at{0};
  for (int i = 0; i < backups; ++i) {
    const std::string name = "b" + std::to_string(i);
    // Some of one guest come almost at once, and so do those of all guests that one schedule names.
    const bool twin = i > 0 && dice.one_in(3);
    const std::string vm = twin && dice.one_in(2) ? plan.backups.back().vm : dice.of(plan.vms).name;
    const std::string deadline = draw_deadline(dice);
    at = twin ? at + dice.millis(0, dice.one_in(2) ? 300 : 12000) : dice.millis(kFirstEvent, 40000);
    plan.begins.push_back({vm, at});
    add_backup(plan, {at, {}}, {name, vm, deadline});
    if (twin && dice.one_in(4)) delete_backup(plan, {at + dice.millis(100, 6000), {}}, name);
  }
  if (dice.one_in(3)) draw_labelled(dice, plan);
  if (dice.one_in(8)) draw_labelled(dice, plan);
}

}  // namespace sim
