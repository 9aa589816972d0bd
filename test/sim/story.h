// Sweepers and webhooks as processes of the simulated cluster: one fiber a watch, one for the election, one that plans,
// and one a job. Killed at any call, as by kill -9, they leave what they have written and nothing else.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "kube/observing_api.h"
#include "sweeper/elector.h"
#include "sweeper/sweeper.h"
#include "test/double/cluster.h"
#include "test/double/face/in_process_api.h"
#include "test/double/face/in_process_webhook.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/double/runtime/sim_clock.h"
#include "webhook/handler.h"

namespace snapfreeze::test {

inline constexpr char kOwnNamespace[] = "snapfreeze";

// Lets every call through, and notes each call to a guest that goes out without its intent on record.
class IntentWitness : public kube::KubeApi {
 public:
  IntentWitness(cluster::Cluster& cluster, kube::KubeApi& api, std::string caller, std::vector<std::string>& unrecorded)
      : cluster_(cluster), api_(api), caller_(std::move(caller)), unrecorded_(unrecorded) {}

  Result<kube::Response> call(const kube::Request& request) override;
  std::vector<Result<kube::Response>> call_all(std::span<const kube::Request> requests) override {
    return api_.call_all(requests);
  }
  Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override {
    return api_.stream(request, idle, sink);
  }

 private:
  bool on_record(const std::string& guest, const std::string& operation);

  cluster::Cluster& cluster_;
  kube::KubeApi& api_;
  const std::string caller_;
  std::vector<std::string>& unrecorded_;
};

// What a process of ours works with: its own API connection, clock and metrics.
struct Machine {
  Machine(cluster::Cluster& cluster, const std::string& caller, std::vector<std::string>& unrecorded,
          Millis clock_off = Millis(0))
      : clock(cluster.runtime(), clock_off),
        connection(cluster, caller),
        witness(cluster, connection, caller, unrecorded),
        api(witness, server_time, [](std::string_view, int) {}),
        sessions(api, kOwnNamespace) {}

  cluster::SimClock clock;
  cluster::InProcessApi connection;
  IntentWitness witness;
  kube::ServerTime server_time;
  kube::ObservingApi api;
  freeze::SessionStore sessions;
  Metrics metrics;
};

struct SimOptions {
  freeze::Policy policy;
  sweeper::Sweeper::Options sweeper;
  Millis clock_off{0};
};

class SimSweeper {
 public:
  SimSweeper(cluster::Cluster& cluster, const std::string& name, std::vector<std::string>& unrecorded,
             const SimOptions& options);

  void kill() { process_.kill(); }
  [[nodiscard]] bool leads() const { return elector_.leads_for(Millis(0)); }
  [[nodiscard]] const sweeper::Sweeper& core() const { return sweeper_; }
  [[nodiscard]] const Metrics& metrics() const { return machine_.metrics; }

 private:
  void watch(sweeper::Kind kind);
  void elect();
  void plan();
  void wake();
  void carry_out(const sweeper::Job& job);

  cluster::Runtime& runtime_;
  Machine machine_;
  sweeper::Elector elector_;
  const sweeper::Seams seams_;
  sweeper::Sweeper sweeper_;
  const sweeper::ThawOn thaw_on_;
  cluster::Signal changed_;
  bool news_ = false;
  cluster::Process process_;  // last: its fibers end before the rest
};

class SimWebhook {
 public:
  SimWebhook(cluster::Cluster& cluster, const std::string& name, std::vector<std::string>& unrecorded,
             const SimOptions& options);

  [[nodiscard]] std::shared_ptr<cluster::AdmissionTransport> transport() { return transport_; }
  void kill() { process_.kill(); }

 private:
  void follow_leader();

  Machine machine_;
  webhook::Liveness liveness_;
  webhook::Admission admission_;
  webhook::MutateHandler handler_;
  cluster::Process process_;
  std::shared_ptr<cluster::AdmissionTransport> transport_;
};

// A cluster with one VM "vms/vm1", one webhook and as many sweepers as asked for. Ends with the promises kept in every
// run: no guest is touched without its intent on record.
struct Sim {
  explicit Sim(std::uint64_t seed = 1, const cluster::VmOptions& vm = {}, const SimOptions& options = {});

  SimSweeper& start_sweeper(const std::string& name);
  // Starts one, and returns when it leads and the webhook knows.
  SimSweeper& lead(const std::string& name = "sweeper-0");
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

  void print_timeline();  // to look at a run that went wrong

  const SimOptions options;
  cluster::SimRuntime runtime;
  cluster::Cluster cluster;
  std::vector<std::string> unrecorded;  // calls to a guest without an intent
  std::unique_ptr<SimWebhook> webhook;
  std::map<std::string, std::unique_ptr<SimSweeper>> sweepers;
};

}  // namespace snapfreeze::test
