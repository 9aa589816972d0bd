// A cluster with one VM "vms/vm1", and snapfreeze in it: a webhook, and as many sweepers as a test starts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "test/double/runtime/runtime_sim.h"
#include "test/sim/installation.h"

namespace sim {

struct StoryOptions {
  snapfreeze::freeze::Policy policy;
  snapfreeze::sweeper::Sweeper::Options sweeper;
  Millis clock_offset{0};  // of all of snapfreeze's machines
  std::vector<std::string> webhooks = {"webhook-0"};
  bool asks_longhorn = true;
};

struct Story {
  explicit Story(std::uint64_t seed = 1, const cluster::VmOptions& vm = {}, const StoryOptions& options = {});

  SweeperProcess& start_sweeper(const std::string& name) { return installation.start_sweeper(name); }
  // Starts one, and returns when it leads and the webhook knows.
  SweeperProcess& lead(const std::string& name = "sweeper-0");
  void kill(const std::string& name) { installation.kill(name); }
  void sleep(std::chrono::nanoseconds duration) { runtime.sleep_for(duration); }

  // Until `done` holds, at most for so long; whether it does.
  bool wait(Millis limit, const std::function<bool()>& done);
  bool wait_for_verdict(const std::string& backup, Millis limit = Millis(60000));
  bool wait_for_no_session(Millis limit = Millis(200000));

  void cut_after(Millis duration);  // each disk, from its snapshot's creation on
  void backup(const std::string& name, const std::string& deadline = "");
  [[nodiscard]] std::string consistency(const std::string& backup);  // "" when there is none
  [[nodiscard]] std::string reason(const std::string& backup);
  [[nodiscard]] std::string note(const std::string& resource, const std::string& name, const std::string& annotation);
  [[nodiscard]] std::vector<cluster::Json> objects(const std::string& group, const std::string& resource);
  [[nodiscard]] std::vector<cluster::Json> sessions();
  [[nodiscard]] bool frozen(const std::string& vm = "vms/vm1");
  [[nodiscard]] cluster::Consistency truth(const std::string& backup, int disks);
  [[nodiscard]] Millis longest_frozen(const std::string& vm = "vms/vm1");
  // Calls to the API server, watches aside; of one verb, if given.
  [[nodiscard]] int calls(const std::string& caller, const std::string& verb = "");
  // Whether anything of that kind really happened: see cluster::TimelineEntry.
  [[nodiscard]] bool was(const std::string& kind);
  // Calls to a guest without an intent on record.
  [[nodiscard]] std::vector<std::string>& unrecorded() { return installation.record().unrecorded(); }

  cluster::SimRuntime runtime;
  cluster::Cluster cluster;
  Installation installation;
};

}  // namespace sim
