#include "test/sim/installation.h"

#include <utility>

namespace sim {

using namespace std::chrono_literals;

namespace {

constexpr Millis kGrace = 30s;  // a pod's terminationGracePeriodSeconds

}  // namespace

Installation::Installation(cluster::Cluster& cluster, Options options)
    : cluster_(cluster), options_(std::move(options)), record_(cluster) {
  cluster_.add_namespace(kOwnNamespace);
  cluster_.locked([this] {
    cluster_.faults().set_killer([this](const std::string& caller) {
      if (has(caller)) kill(caller, back_after_[caller]);
    });
    cluster_.faults().set_stopper([this](const std::string& caller, Millis lasts) {
      if (has(caller)) process(caller).gate.close_for(lasts);
    });
  });
}

Installation::~Installation() {
  cluster_.locked([this] {
    cluster_.faults().set_killer(nullptr);
    cluster_.faults().set_stopper(nullptr);
  });
  for (const cluster::FiberRef& fiber : restarts_) cluster_.runtime().kill(fiber);
  for (const auto& [name, process] : processes_) process->kill();
  cluster_.admission().set_replicas(kOwnNamespace, options_.registration.name, {});
  cluster_.runtime().sleep_for(1ms);
}

void Installation::put(const std::string& name, std::shared_ptr<Process> process) {
  auto& place = processes_[name];
  if (place != nullptr) {
    place->kill();
    buried_.push_back(std::move(place));
  }
  place = std::move(process);
}

SweeperProcess& Installation::start_sweeper(const std::string& name) {
  const auto sweeper = std::make_shared<SweeperProcess>(cluster_, name, record_, options_.sweeper, ++lives_);
  put(name, sweeper);
  return *sweeper;
}

WebhookProcess& Installation::start_webhook(const std::string& name) {
  const auto webhook = std::make_shared<WebhookProcess>(cluster_, name, record_, options_.webhook);
  replicas_[name] = webhook->transport();
  put(name, webhook);
  return *webhook;
}

void Installation::register_webhooks() {
  cluster_.admission().register_webhook(options_.registration, {});
  make_replicas();
}

void Installation::make_replicas() {
  std::vector<std::shared_ptr<cluster::AdmissionTransport>> all;
  for (const auto& [name, replica] : replicas_) all.push_back(replica);
  cluster_.admission().set_replicas(kOwnNamespace, options_.registration.name, std::move(all));
}

void Installation::kill(const std::string& name, std::optional<Millis> back_after) {
  process(name).kill();
  if (!back_after) return;
  restarts_.push_back(cluster_.runtime().spawn("restart " + name, [this, name, after = *back_after] {
    cluster_.runtime().sleep_for(after);
    restart(name);
  }));
}

void Installation::terminate(const std::string& name, Millis back_after) {
  const std::shared_ptr<Process> ending = processes_.at(name);
  told_to_end_.insert(name);
  if (replicas_.erase(name) > 0) make_replicas();  // it is no endpoint any more
  ending->terminate();
  restarts_.push_back(cluster_.runtime().spawn("rollout of " + name, [this, name, ending, back_after] {
    for (auto left = kGrace; left > 0ms && ending->fibers.alive(); left -= 100ms) cluster_.runtime().sleep_for(100ms);
    cluster_.runtime().sleep_for(back_after);
    restart(name);
  }));
}

void Installation::revive() {
  // One that is still to come would end the one that we start now.
  for (const cluster::FiberRef& fiber : restarts_) cluster_.runtime().kill(fiber);
  restarts_.clear();
  std::vector<std::string> dead;
  for (const auto& [name, process] : processes_) {
    if (!process->fibers.alive() || told_to_end_.contains(name)) dead.push_back(name);
  }
  for (const std::string& name : dead) restart(name);
}

void Installation::restart(const std::string& name) {
  told_to_end_.erase(name);
  if (name.starts_with("sweeper")) {
    start_sweeper(name);
    return;
  }
  start_webhook(name);
  make_replicas();
}

}  // namespace sim
