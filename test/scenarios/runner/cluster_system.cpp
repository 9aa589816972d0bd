#include "test/scenarios/runner/cluster_system.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "test/scenarios/runner/objects.h"

namespace runner {
namespace {

// What the snapshot controllers may add before a disk is cut, and again before it is ready to use: they retry after
// conflicts, and share one machine with all else.
constexpr Millis kToCut{10000};
constexpr Millis kToReady{20000};
// A killed API server takes a while to be back when it is started again, and the controllers notice at their next try.
constexpr Millis kStartsAgain{5000};
// 1 s, 2 s, 4 s and 8 s after each other.
constexpr int kErrorsInTime = 4;
constexpr char kRegistrations[] = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
constexpr char kRegistration[] = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/snapfreeze";

std::string read_file(const std::string& name) {
  std::ostringstream text;
  std::ifstream file(name, std::ios::binary);
  text << file.rdbuf();
  if (!file) throw std::runtime_error(name + ": cannot be read");
  return text.str();
}

// What real controllers add to a bound. A guest that is thawed at its cut waits for them; one that its timer thaws, or
// that nobody of ours froze, does not.
Millis allowance(const Scenario& scenario, const Expectation& bound) {
  if (bound.field == Field::kCompletesWithin) return kToReady;
  const auto at_the_cut = [&](const Expectation& one) {
    return one.field == Field::kThawedBy && one.of == bound.of && one.who == "sweeper";
  };
  const auto outage = [](const Event& event) { return event.action == Action::kApiServer; };
  const auto& all = scenario.expectations;
  if (bound.field != Field::kFrozenAtMost || std::none_of(all.begin(), all.end(), at_the_cut)) return Millis(0);
  const auto& events = scenario.events;
  return kToCut + (std::any_of(events.begin(), events.end(), outage) ? kStartsAgain : Millis(0));
}

}  // namespace

ClusterSystem::~ClusterSystem() {
  finish_requests();
  if (!plane_) return;
  processes_.reset();
  try {
    plane_->wait_until_back();
    control("POST", "end", Json::object());
  } catch (const std::exception&) {
    // The next scenario on this control plane will say so.
  }
}

Scenario ClusterSystem::adapted(const Scenario& scenario) {
  static std::atomic<int> runs{0};
  const std::string suffix = "-" + std::to_string(::getpid()) + "-" + std::to_string(++runs);
  Scenario own = scenario;
  if (own.product.sweepers == 1) own.product.sweepers = 2;
  own.suffix = suffix;
  for (Vm& vm : own.vms) vm.namespace_ += suffix;
  for (Pod& pod : own.pods) pod.namespace_ += suffix;
  for (Event& event : own.events) {
    const ObjectName of = parse_object_name(event.target);
    const bool changes =
        event.action == Action::kPatch || event.action == Action::kCreate || event.action == Action::kDelete;
    if (!changes || of.ns.empty() || of.ns == kOwnNamespace) continue;
    event.target.insert(event.target.find('/' + of.ns + '/') + 1 + of.ns.size(), suffix);
  }
  for (Snapshot& snapshot : own.snapshots) snapshot.namespace_ += suffix;
  for (std::string& ns : own.namespaces_opted_out) ns += suffix;
  for (Expectation& expected : own.expectations) {
    if (expected.bound) *expected.bound += allowance(scenario, expected);
    expected.of.insert(expected.of.find('/'), suffix);
  }
  return own;
}

std::string ClusterSystem::cannot_run(const Scenario& scenario) const {
  // Real controllers look after the objects of each; more of them starve the scenarios beside this one.
  constexpr std::size_t kMostVms = 16;
  if (scenario.vms.size() > kMostVms) return "more guests than a control plane beside others can serve on one machine";
  for (const Event& event : scenario.events) {
    const bool single_calls = event.action == Action::kLoseReply || event.action == Action::kWatches ||
                              (event.action == Action::kApiServer && event.target != "gone");
    if (single_calls) return "a real API server fails no single call or watch on demand";
    if (event.after_call > 0 || event.before_call > 0) return "a real API server counts no calls of a process";
    if (event.action == Action::kStepClock) return "the machine's clock is everybody's";
    if (event.action == Action::kRestoreEtcd) return "the control plane keeps no backup of its etcd";
    if (event.action == Action::kRejectSnapshot && event.times != 0) return "a policy refuses always";
    const bool changes =
        event.action == Action::kPatch || event.action == Action::kCreate || event.action == Action::kDelete;
    if (changes && event.by == "harvester") return "Harvester's controller is the rig";
    if (event.by.rfind("tenant-of-", 0) == 0) return "there is one tenant, who may act in every namespace";
  }
  for (const Snapshot& snapshot : scenario.snapshots) {
    if (snapshot.by.rfind("tenant-of-", 0) == 0) return "there is one tenant, who may act in every namespace";
  }
  if (!scenario.served.empty()) return "the kinds of the control plane are fixed";
  const auto long_errors = [](const Storage& storage) { return storage.errors > kErrorsInTime; };
  if (long_errors(scenario.storage) || std::any_of(scenario.disks.begin(), scenario.disks.end(),
                                                   [&](const auto& disk) { return long_errors(disk.storage); })) {
    return "a real sidecar waits twice as long after each error";
  }
  return ProcessSystem::cannot_run(scenario);
}

void ClusterSystem::start(const Scenario& scenario) {
  for (const Vm& vm : scenario.vms) namespaces_.insert(vm.namespace_);
  for (const Snapshot& snapshot : scenario.snapshots) namespaces_.insert(snapshot.namespace_);
  plane_ = planes_.take();
  for (const char* user : {"admin", "tenant", "control"}) {
    clients_.add(user, plane_->file(std::string(user) + ".kubeconfig"));
  }
  // What the run before left, should it have failed.
  const std::string leases = collection_path("coordination.k8s.io/v1/leases", own_namespace());
  expect_success(call("admin", "DELETE", leases, Json()), leases);
  processes_ =
      std::make_unique<Processes>(ProcessOptions{snapfreeze_, plane_->directory(), own_namespace(),
                                                 plane_->file("pki/webhook.crt"), plane_->file("pki/webhook.key")});
  for (int i = 0; i < 2; ++i) processes_->listen_at("webhook-" + std::to_string(i), plane_->webhook_port(i));
  set_up(scenario);
  for (const Event& event : scenario.events) {
    // A policy takes effect a moment after it is made.
    if (event.action == Action::kRejectSnapshot) ControlledSystem::happen(event);
  }
  register_webhooks();
  // One after the other: the first is the leader.
  for (const std::string& name : processes("sweepers")) start_all(name);
  start_all("webhooks");
  start_clock();
}

void ClusterSystem::register_webhooks() {
  Json wanted = Json::parse(read_file(plane_->file("registration.json")));
  Json webhook = wanted["webhooks"][0];
  webhook_timeout_ = std::chrono::seconds(webhook.at("timeoutSeconds"));
  if (scenario().wrong_ca) webhook["clientConfig"]["caBundle"] = read_file(plane_->file("wrong-ca.b64"));
  wanted["webhooks"] = Json::array();
  for (int round = 0; round < admission_rounds_ && !processes("webhooks").empty(); ++round) {
    wanted["webhooks"].push_back(webhook);
    wanted["webhooks"].back()["name"] = "round-" + std::to_string(round) + "." + webhook["name"].get<std::string>();
  }
  const auto current = call("admin", "GET", kRegistration, Json());
  if (current.status == 404) return expect_success(call("admin", "POST", kRegistrations, wanted), "registration");
  expect_success(current, "registration");
  wanted["metadata"]["resourceVersion"] = Json::parse(current.body)["metadata"]["resourceVersion"];
  expect_success(call("admin", "PUT", kRegistration, wanted), "registration");
}

void ClusterSystem::expect_success(const snapfreeze::kube::Response& reply, const std::string& what) const {
  if (reply.status / 100 != 2) throw std::runtime_error(what + ": " + reply.body);
}

void ClusterSystem::happen(const Event& event) {
  if (event.action == Action::kApiServer) return plane_->interrupt(event.lasts);
  if (event.action != Action::kRejectSnapshot) ControlledSystem::happen(event);
}

nlohmann::json ClusterSystem::control(const std::string& method, const std::string& path, const Json& body) {
  if (path == "admission" && body.contains("rounds")) {
    admission_rounds_ = body.at("rounds");
    return Json::object();
  }
  Json reply = clients_.control("control", method, path, body);
  if (path != "guests") return reply;
  Json guests = Json::object();
  for (const auto& [vm, guest] : reply.items()) {
    if (namespaces_.count(vm.substr(0, vm.find('/'))) != 0) guests[vm] = guest;
  }
  return guests;
}

nlohmann::json ClusterSystem::items(const std::string& collection) {
  Json ours = Json::array();
  for (Json& item : ProcessSystem::items(collection)) {
    const std::string ns = item["metadata"].value("namespace", "");
    if (namespaces_.count(ns) != 0 || ns == own_namespace()) ours.push_back(std::move(item));
  }
  return ours;
}

void ClusterSystem::hang_at_call(const std::string& name, const Event&) {
  throw std::logic_error("cannot stop " + name + " at a call: nobody counts them");
}

void ClusterSystem::kill_at_call(const std::string& name, int, std::optional<Millis>) {
  throw std::logic_error("cannot kill " + name + " at a call: nobody counts them");
}

}  // namespace runner
