// snapfreeze as it is installed in a simulated cluster: its processes by name, which can be killed, stopped and started
// again at any moment.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/sim/sweeper_process.h"
#include "test/sim/webhook_process.h"

namespace sim {

class Installation {
 public:
  struct Options {
    SweeperOptions sweeper;
    WebhookProcessOptions webhook;
    cluster::WebhookOptions registration;
  };

  Installation(cluster::Cluster& cluster, Options options);
  // Kills all processes and lets their fibers end. The cluster must still be there.
  ~Installation();
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;

  // Another one of that name takes the place of the first. A webhook is asked as soon as it has been registered.
  SweeperProcess& start_sweeper(const std::string& name);
  WebhookProcess& start_webhook(const std::string& name);
  // Writes the registration, and makes the webhooks of now its replicas.
  void register_webhooks();

  // Without `back_after` it stays dead. The Service keeps a dead replica until another has taken its place, as
  // endpoints lag behind.
  void kill(const std::string& name, std::optional<Millis> back_after = std::nullopt);
  // As a rollout does: it is told to end, and comes back so long after it has ended, or has had to.
  void terminate(const std::string& name, Millis back_after);
  // Starts those again that are dead, or told to end.
  void revive();
  // Of one that the cluster's faults kill: whether it comes back.
  void when_killed(const std::string& name, std::optional<Millis> back_after) { back_after_[name] = back_after; }
  // The latest of that name; throws std::out_of_range.
  [[nodiscard]] Process& process(const std::string& name) { return *processes_.at(name); }
  [[nodiscard]] bool has(const std::string& name) const { return processes_.contains(name); }

  [[nodiscard]] Record& record() { return record_; }

 private:
  void put(const std::string& name, std::shared_ptr<Process> process);
  void restart(const std::string& name);
  void make_replicas();

  cluster::Cluster& cluster_;
  const Options options_;
  Record record_;
  std::map<std::string, std::shared_ptr<Process>> processes_;  // the latest of each name
  std::vector<std::shared_ptr<Process>> buried_;  // replaced ones, as fibers of the cluster may still know them
  std::map<std::string, std::shared_ptr<cluster::AdmissionTransport>> replicas_;
  std::map<std::string, std::optional<Millis>> back_after_;
  std::vector<cluster::FiberRef> restarts_;
  std::set<std::string> told_to_end_;
  int lives_ = 0;
};

}  // namespace sim
