// What one history is to be: a world, and what happens in it. Drawn by seed (draw.h), played by history.h.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/sim/dice.h"
#include "test/sim/installation.h"
#include "test/sim/moments.h"

namespace sim {

class History;

inline constexpr char kNamespace[] = "vms";  // of all VMs

struct Event {
  Millis at;         // after the start
  std::string what;  // in words, for whoever reads the timeline
  std::function<void(History&)> act;
  int number = 0;  // in the draw
};

// When something happens: so long after the start; or, with an aim, so long after its moment. Then `at` is from when on
// one aims.
struct When {
  Millis at;
  std::optional<Aim> aim;
  Millis after{0};
};
inline When operator+(When when, Millis later) {
  (when.aim ? when.after : when.at) += later;
  return when;
}

struct Backup {
  std::string name, vm, deadline;
};

// A backup of somebody's; `at` as in Event.
struct Begin {
  std::string vm;
  Millis at;
};

// ms; what would begin later is the end.
inline constexpr int kFirstEvent = 0;
inline constexpr int kLastEvent = 60000;

struct NotServed {
  std::string group, resource;
};

// As the text of an event says it.
inline std::string text(Millis time) {
  return std::to_string(time.count()) + " ms";
}

struct Plan {
  void add(Millis at, std::string what, std::function<void(History&)> act) {
    events.push_back({at, std::move(what), std::move(act), 0});
  }
  void add(const When& when, const std::string& what, const std::function<void(History&)>& act);
  // What an accident concerns: the victim, most often, or any VM.
  [[nodiscard]] std::string any_vm(Dice& dice) const;
  // When an accident happens: most often about when a backup begins, or at a moment that it brings; of the victim if
  // there is one.
  [[nodiscard]] When moment(Dice& dice) const;
  void step_clock(const When& when, Millis step);  // the API server's
  // What a guest's disks are worth that was thawed, or replaced, shows only if they are cut afterwards. In ms.
  void cut_within(Dice& dice, const std::string& vm, int low, int high);

  std::vector<cluster::VmOptions> vms;                // all in the namespace "vms"
  std::map<std::string, cluster::DiskOptions> disks;  // by claim
  cluster::HarvesterOptions harvester;
  int kubevirt_minor = 8;
  std::vector<NotServed> not_served;  // kinds that the cluster does not have
  Installation::Options installation;
  std::vector<Event> events;              // in the order of time
  std::vector<Backup> backups;            // those of Harvester among the events
  std::set<std::string> labelled;         // VMs of which somebody else than Harvester takes snapshots
  std::set<std::string> not_for_tenants;  // VMs that a tenant may not freeze
  int rounds = 1;                         // how often each admission runs
  int accidents = 0;                      // events that are neither
  bool hinders_us = false;                // one of these concerns our processes, the API or its objects
  std::vector<Begin> begins;              // of the backups, whoever takes them
  std::string victim;                     // the VM that most accidents concern; "": none in particular
};

}  // namespace sim
