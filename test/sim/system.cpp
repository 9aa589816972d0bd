#include "test/sim/system.h"

#include <cstdio>
#include <stdexcept>

#include "test/scenarios/runner/observe.h"

namespace sim {
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

Installation::Options options_of(const runner::Product& product) {
  Installation::Options options;
  options.sweeper.what.thaw_on =
      product.thaw_on_ready ? snapfreeze::sweeper::ThawOn::kReady : snapfreeze::sweeper::ThawOn::kCaptured;
  options.sweeper.clock_offset = product.sweeper_clock;
  options.sweeper.asks_longhorn = product.longhorn_url;
  options.webhook.settings.observe = product.observe;
  options.webhook.settings.max_freezes = product.max_freezes;
  options.webhook.clock_offset = product.webhook_clock;
  options.registration.timeout_seconds = runner::kWebhookSeconds;
  return options;
}

}  // namespace

System::~System() {
  if (trace_ && installation_) std::fputs(installation_->record().timeline().c_str(), stdout);
}

void System::start(const Scenario& scenario) {
  set_up(scenario);
  installation_ = std::make_unique<Installation>(*cluster_, options_of(scenario.product));
  for (const std::string& name : processes("sweepers")) {
    installation_->start_sweeper(name);
    runtime_.sleep_for(kBetweenStarts);
  }
  for (const std::string& name : processes("webhooks")) installation_->start_webhook(name);
  installation_->register_webhooks();
  runtime_.sleep_for(kWarmUp);
  set_start();
  start_ = runtime_.now();
}

// Most of the time nothing has happened since the last look.
runner::Observed System::look() {
  const auto state =
      cluster_->locked([this] { return std::pair(cluster_->store().version(), cluster_->truth().timeline().size()); });
  if (looked_at_ != state) seen_ = ControlledSystem::look();
  looked_at_ = state;
  seen_.now = now();
  seen_.unrecorded = installation_->record().unrecorded();
  return seen_;
}

void System::hang_at_call(const std::string& name, const runner::Event& event) {
  const bool before = event.before_call > 0;
  installation_->process(name).gate.close_at(before ? Gate::Where::kBeforeCall : Gate::Where::kAfterCall,
                                             before ? event.before_call : event.after_call, event.lasts);
}

System::Json System::control(const std::string& method, const std::string& path, const Json& body) {
  cluster::HttpRequest request;
  request.method = method;
  request.set_target("/sandbox/" + path);
  request.caller = "admin";
  request.body = body.dump();
  const cluster::Reply reply = control_.handle(request);
  if (reply.status != 200) throw std::runtime_error("/sandbox/" + path + ": " + reply.body);
  return Json::parse(reply.body);
}

void System::request(const std::string& user, const std::string& method, const std::string& target, const Json& body) {
  runtime_.spawn(user, [this, user, method, target, body] { act(user, method, target, body); });
}

int System::act(const std::string& user, const std::string& method, const std::string& target, const Json& body) {
  const bool patch = method == "PATCH";
  return cluster_
      ->call(user == "harvester" ? cluster::kHarvesterUser : user, method, target, body,
             patch ? "application/merge-patch+json" : "application/json")
      .status;
}

System::Json System::object(const std::string& collection, const std::string& ns, const std::string& name) {
  const cluster::Lock lock = runtime_.lock();
  cluster::Store& store = cluster_->store();
  const cluster::ObjectRef found = store.get(type_of(store, collection), ns, name);
  return found == nullptr ? Json() : found->json;
}

System::Json System::items(const std::string& collection) {
  const cluster::Lock lock = runtime_.lock();
  cluster::Store& store = cluster_->store();
  const auto page = store.list(type_of(store, collection), "", cluster::Selector());
  Json all = Json::array();
  for (const cluster::ObjectRef& item : std::get<cluster::ListPage>(page).items) all.push_back(item->json);
  return all;
}

}  // namespace sim
