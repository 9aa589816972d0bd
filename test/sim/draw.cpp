#include "test/sim/draw.h"

#include <algorithm>

#include "test/sim/accidents.h"
#include "test/sim/backups.h"
#include "test/sim/dice.h"

namespace sim {
namespace {

cluster::VmOptions draw_vm(Dice& dice, int number) {
  cluster::VmOptions vm;
  vm.name = "vm" + std::to_string(number);
  vm.disks = dice.number(1, 3);
  vm.windows = dice.one_in(5);
  if (vm.windows && dice.one_in(3)) vm.vss_limit = dice.millis(200, 9900);
  vm.running = !dice.one_in(8);
  vm.agent = !dice.one_in(15);
  if (dice.one_in(20)) vm.ended = dice.of<std::string>({"Succeeded", "Failed"});
  if (!vm.ended.empty()) vm.running = false;
  if (dice.one_in(10)) vm.hot_plugged = 1;
  if (number > 0 && dice.one_in(10)) vm.shares = {"vm" + std::to_string(dice.number(0, number - 1)) + "-disk-0"};
  if (dice.one_in(15)) vm.annotations["snapfreeze.harvesterhci.io/skip"] = "true";
  vm.freeze_latency = dice.one_in(6) ? dice.millis(500, 9500) : dice.millis(5, 200);
  vm.thaw_latency = dice.one_in(10) ? dice.millis(500, 9500) : dice.millis(2, 50);
  return vm;
}

// What Longhorn says of a disk before it is true, or never.
void draw_lies(Dice& dice, cluster::DiskOptions& disk) {
  disk.live.delay = dice.millis(1, 4000);
  disk.live.lies = dice.one_in(3);
  disk.live.removed = dice.one_in(6);
  disk.live.by_system = dice.one_in(6);
  if (dice.one_in(4)) disk.live.vanishes = dice.millis(1, 3000);
  disk.live.others = dice.number(0, 3);
  disk.reported = !dice.one_in(6);
}

cluster::DiskOptions draw_disk(Dice& dice) {
  using cluster::StorageStyle;
  cluster::DiskOptions disk;
  disk.style = dice.of({StorageStyle::kCsi, StorageStyle::kLonghorn, StorageStyle::kOldLonghorn});
  disk.cut = dice.one_in(4) ? dice.millis(1000, 40000) : dice.millis(5, 900);
  disk.ready = dice.one_in(3) ? dice.millis(100, 20000) : Millis(0);
  if (dice.one_in(8)) disk.interim_errors = dice.number(1, 4);
  disk.error_retry = dice.millis(200, 4000);
  disk.never = dice.one_in(15);
  disk.fails = dice.one_in(20);
  if (disk.style != StorageStyle::kCsi && dice.one_in(4)) draw_lies(dice, disk);
  if (dice.one_in(10)) disk.creation_time = snapfreeze::Wall(std::chrono::seconds(dice.number(0, 2000000000)));
  return disk;
}

cluster::HarvesterOptions draw_harvester(Dice& dice) {
  cluster::HarvesterOptions options;
  options.create_twice = dice.one_in(6) ? dice.number(1, 2) : 0;
  options.disks_first = dice.one_in(6) ? dice.number(0, 2) : -1;
  options.later = dice.millis(100, 9000);
  options.stops_at_failure = dice.one_in(2);
  options.retries = dice.number(1, 11);
  options.retry_every = dice.millis(50, 500);
  return options;
}

// Nothing there can depend on a kind that is not.
void draw_not_served(Dice& dice, Plan& plan) {
  if (!dice.one_in(8)) return;
  if (dice.one_in(2)) {
    plan.not_served.push_back({"backup.kubevirt.io", "virtualmachinebackups"});
    plan.not_served.push_back({"backup.kubevirt.io", "virtualmachinebackuptrackers"});
  }
  if (dice.one_in(2)) plan.not_served.push_back({"snapshot.kubevirt.io", "virtualmachinesnapshots"});
  if (dice.one_in(2)) return;
  plan.not_served.push_back({"longhorn.io", "snapshots"});
  for (auto& [claim, disk] : plan.disks) disk.style = cluster::StorageStyle::kCsi;
}

}  // namespace

Plan draw(std::uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  const int vms = dice.of({1, 1, 2, 2, 3, 4, 6});
  for (int i = 0; i < vms; ++i) {
    plan.vms.push_back(draw_vm(dice, i));
    for (int disk = 0; disk < plan.vms.back().disks; ++disk) {
      plan.disks[plan.vms.back().name + "-disk-" + std::to_string(disk)] = draw_disk(dice);
    }
  }
  plan.harvester = draw_harvester(dice);
  plan.kubevirt_minor = dice.number(6, 9);
  draw_not_served(dice, plan);
  plan.installation.sweeper.clock_offset = dice.one_in(4) ? dice.millis(-600000, 600000) : Millis(0);
  plan.installation.webhook.clock_offset = dice.one_in(4) ? dice.millis(-600000, 600000) : Millis(0);
  plan.installation.registration.timeout_seconds = dice.of({15, 15, 15, 10, 5});
  plan.installation.sweeper.asks_longhorn = !dice.one_in(4);
  if (dice.one_in(10)) plan.rounds = 2;
  if (dice.one_in(8)) plan.installation.webhook.settings.max_freezes = 1;
  if (dice.one_in(5)) plan.not_for_tenants.insert(dice.of(plan.vms).name);
  if (dice.one_in(8)) {
    plan.installation.sweeper.what.thaw_on = snapfreeze::sweeper::ThawOn::kReady;
  }
  draw_backups(dice, plan);
  draw_accidents(dice, plan);
  std::stable_sort(plan.events.begin(), plan.events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  for (std::size_t i = 0; i < plan.events.size(); ++i) plan.events[i].number = static_cast<int>(i);
  return plan;
}

}  // namespace sim
