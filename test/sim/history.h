// One history: a plan, played from its start to a calm end, at which every healthy VM gets one more backup that nothing
// disturbs.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/double/runtime/runtime_sim.h"
#include "test/sim/dice.h"
#include "test/sim/moments.h"
#include "test/sim/plan.h"

namespace sim {

// Of a collection in it, or of one object: path_of("kubevirt.io/v1", "virtualmachines", "vm0").
inline std::string path_of(const std::string& group_version, const std::string& resource,
                           const std::string& name = "") {
  return "/apis/" + group_version + "/namespaces/" + kNamespace + "/" + resource + (name.empty() ? "" : "/" + name);
}

class History {
 public:
  History(std::uint64_t seed, Plan plan);

  void play();

  // For what happens.
  cluster::Reply call(const std::string& user, const std::string& method, const std::string& target,
                      const cluster::Json& body = {});
  // In a fiber of its own, so that what hangs holds up nothing else.
  void begin(const std::string& user, const std::string& method, const std::string& target,
             const cluster::Json& body = {});
  // Harvester's, by an admin; `deadline` "": it names none.
  void back_up(const std::string& name, const std::string& vm, const std::string& deadline);
  // `back`: when a process that it kills comes back.
  void begin_fault(const cluster::Fault& fault, Millis back);
  void step_clock(Millis step);  // the API server's
  void stop_for(const std::string& process, Millis lasts);
  // Before its next call to a target that ends so, for so long at most.
  void stop_before(const std::string& process, const std::string& ending, Millis longest);
  // From now on, for so long.
  void hold_back(cluster::Holdback holdback, Millis lasts);
  [[nodiscard]] std::vector<std::string> names(const std::string& group, const std::string& resource,
                                               const std::string& ns);

  // What the judge must know of it.
  std::set<std::string> clean_backups;      // those of the end
  std::set<std::string> undoable;           // guests whose Harvester backup somebody deleted or changed
  std::set<std::string> records_touched;    // guests whose Lease somebody deleted or changed
  std::set<std::string> records_deleted;    // those of them whose Lease somebody deleted
  std::set<std::string> edited_snapshots;   // by a tenant
  std::map<std::string, int> edited_names;  // objects that a tenant has changed
  std::set<std::string> edited_backups;     // of Harvester
  std::set<std::string> hindered;           // guests that could not always be thawed when they were asked to
  std::set<std::string> thawed_by_hand;     // which cannot be seen, as the documents say
  std::multimap<std::string, cluster::Mono> thaw_commands;  // by guest
  std::set<std::string> strange_leases;                     // created by an admin, of no version of ours
  std::set<std::string> stopped;                            // processes, for some time
  bool pods_hidden = false;                                 // also from a new watch, for some time
  bool restored = false;                                    // etcd
  bool clock_stepped = false;                               // the API server's, and it stays so
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] cluster::Mono start() const { return start_; }
  // From when on nothing was disturbed, and no process stopped.
  [[nodiscard]] cluster::Mono calm() const { return calm_; }

  cluster::SimRuntime runtime;
  cluster::Cluster cluster;
  Installation installation;
  Moments moments;
  Dice dice;  // for what is decided only when it happens

 private:
  void set_up();
  void calm_down();
  bool quiet();
  void wait_for_quiet();
  void back_up_all();
  bool all_judged();  // the last backups

  const Plan plan_;
  cluster::Mono start_{};
  cluster::Mono calm_{};
};

}  // namespace sim
