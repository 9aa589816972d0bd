#include "test/sim/system.h"

#include "test/scenarios/runner/observe.h"
#include "test/sim/sweeper_process.h"
#include "test/sim/webhook_process.h"

namespace runner {
namespace {

using namespace std::chrono_literals;

// Elections and first lists; nothing of it is part of a scenario. One after the other, so that the first one leads.
constexpr auto kBetweenStarts = 3s;
constexpr auto kWarmUp = 10s;

const cluster::ResourceType& type_of(cluster::Store& store, const std::string& collection) {
  const std::size_t slash = collection.find('/');
  const std::size_t last = collection.rfind('/');
  return store.resources().at(slash == last ? "" : collection.substr(0, slash), collection.substr(last + 1));
}

}  // namespace

SimSystem::~SimSystem() {
  for (const auto& [name, process] : processes_) process->kill();
  runtime_.sleep_for(1ms);
  // Before the processes: what its fibers do at their end may still reach for a webhook.
  cluster_.reset();
}

void SimSystem::start(const Scenario& scenario) {
  set_up(scenario);
  cluster_->locked([this] {
    cluster_->faults().set_killer([this](const std::string& caller) { kill_process(caller, back_after_[caller]); });
  });
  for (const std::string& name : processes("sweepers")) {
    start_process(name);
    runtime_.sleep_for(kBetweenStarts);
  }
  for (const std::string& name : processes("webhooks")) start_process(name);
  cluster::WebhookOptions registration;
  registration.timeout_seconds = kWebhookSeconds;
  cluster_->admission().register_webhook(registration, {});
  register_replicas();
  runtime_.sleep_for(kWarmUp);
  set_start();
  start_ = runtime_.now();
}

// Most of the time nothing has happened since the last look.
Observed SimSystem::look() {
  const auto state =
      cluster_->locked([this] { return std::pair(cluster_->store().version(), cluster_->truth().timeline().size()); });
  if (looked_at_ != state) seen_ = ControlledSystem::look();
  looked_at_ = state;
  seen_.now = now();
  return seen_;
}

void SimSystem::start_process(const std::string& name) {
  if (const auto found = processes_.find(name); found != processes_.end()) buried_.push_back(found->second);
  if (kind_of_caller(name) == "webhook") {
    const auto webhook = std::make_shared<SimWebhook>(*cluster_, name, scenario().product);
    replicas_[name] = webhook->transport();
    processes_[name] = webhook;
  } else {
    processes_[name] = std::make_shared<SimSweeper>(*cluster_, name, ++lives_, scenario().product);
  }
}

void SimSystem::register_replicas() {
  std::vector<std::shared_ptr<cluster::AdmissionTransport>> all;
  for (const auto& [name, replica] : replicas_) all.push_back(replica);
  cluster_->admission().set_replicas(kOwnNamespace, cluster::WebhookOptions{}.name, all);
}

// The Service keeps a dead replica until another has taken its place, as endpoints lag behind.
void SimSystem::kill_process(const std::string& name, std::optional<Millis> back_after) {
  processes_.at(name)->kill();
  if (!back_after) return;
  runtime_.spawn("restart " + name, [this, name, after = *back_after] {
    runtime_.sleep_for(after);
    start_process(name);
    register_replicas();
  });
}

void SimSystem::kill_at_call(const std::string& name, int, std::optional<Millis> back_after) {
  back_after_[name] = back_after;
}

void SimSystem::hang_process(const std::string& name, Millis lasts) {
  const std::shared_ptr<SimProcess> process = processes_.at(name);
  process->hang();
  runtime_.spawn("go on " + name, [this, process, lasts] {
    runtime_.sleep_for(lasts);
    process->go_on();
  });
}

void SimSystem::hang_at_call(const std::string& name, const Event& event) {
  const bool before = event.before_call > 0;
  processes_.at(name)->hang_at_call(before ? event.before_call : event.after_call, before, event.lasts);
}

Json SimSystem::control(const std::string& method, const std::string& path, const Json& body) {
  cluster::HttpRequest request;
  request.method = method;
  request.set_target("/sandbox/" + path);
  request.caller = "admin";
  request.body = body.dump();
  const cluster::Reply reply = control_.handle(request);
  if (reply.status != 200) throw std::runtime_error("/sandbox/" + path + ": " + reply.body);
  return Json::parse(reply.body);
}

void SimSystem::request(const std::string& user, const std::string& method, const std::string& target,
                        const Json& body) {
  runtime_.spawn(user, [this, user, method, target, body] { act(user, method, target, body); });
}

int SimSystem::act(const std::string& user, const std::string& method, const std::string& target, const Json& body) {
  const bool patch = method == "PATCH";
  return cluster_
      ->call(user == "harvester" ? cluster::kHarvesterUser : user, method, target, body,
             patch ? "application/merge-patch+json" : "application/json")
      .status;
}

Json SimSystem::object(const std::string& collection, const std::string& ns, const std::string& name) {
  const cluster::Lock lock = runtime_.lock();
  cluster::Store& store = cluster_->store();
  const cluster::ObjectRef found = store.get(type_of(store, collection), ns, name);
  return found == nullptr ? Json() : found->json;
}

Json SimSystem::items(const std::string& collection) {
  const cluster::Lock lock = runtime_.lock();
  cluster::Store& store = cluster_->store();
  const auto page = store.list(type_of(store, collection), "", cluster::Selector());
  Json all = Json::array();
  for (const cluster::ObjectRef& item : std::get<cluster::ListPage>(page).items) all.push_back(item->json);
  return all;
}

}  // namespace runner
