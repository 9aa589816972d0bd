#include "test/sim/story.h"

#include <cstdio>

#include "base/log.h"
#include "freeze/names.h"
#include "sweeper/feed.h"

namespace snapfreeze::test {
namespace {

using cluster::Lock;

constexpr char kPrefix[] = "snapfreeze.harvesterhci.io/";

cluster::WebhookReply reply_of(const edge::HttpResponse& response) {
  cluster::WebhookReply reply;
  reply.status = response.status;
  reply.body = response.body;
  return reply;
}

edge::HttpRequest request_of(const std::string& target, const std::string& body, Mono arrival) {
  edge::HttpRequest request;
  request.method = "POST";
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  request.body = body;
  request.arrival = arrival;
  return request;
}

cluster::Json annotations_of(const cluster::Json& object) {
  return object.is_object() ? object["metadata"].value("annotations", cluster::Json::object())
                            : cluster::Json::object();
}

}  // namespace

Result<kube::Response> IntentWitness::call(const kube::Request& request) {
  for (const std::string operation : {"freeze", "unfreeze"}) {
    const std::string suffix = "/" + operation;
    if (!request.target.ends_with(suffix)) continue;
    const auto parts = request.target.substr(0, request.target.size() - suffix.size());
    const auto vm = parts.substr(parts.rfind('/') + 1);
    const auto ns_begin = parts.find("/namespaces/") + 12;
    const auto ns = parts.substr(ns_begin, parts.find('/', ns_begin) - ns_begin);
    if (!on_record(ns + "." + vm, operation)) unrecorded_.push_back(caller_ + " " + operation + " " + ns + "/" + vm);
  }
  return api_.call(request);
}

// The webhook also unfreezes, as the first half of its freeze.
bool IntentWitness::on_record(const std::string& guest, const std::string& operation) {
  const auto lease = cluster_.get("coordination.k8s.io/leases", kOwnNamespace, guest);
  if (!lease.is_object()) return false;
  const auto intent = cluster::Json::parse(annotations_of(lease).value(std::string(kPrefix) + "intent", "{}"));
  const std::string call = intent.value("call", "none");
  return intent.value("by", "").starts_with(caller_) && (call == operation || call == "freeze");
}

SimSweeper::SimSweeper(cluster::Cluster& cluster, const std::string& name, std::vector<std::string>& unrecorded,
                       const SimOptions& options)
    : runtime_(cluster.runtime()),
      machine_(cluster, name, unrecorded, options.clock_off),
      elector_(machine_.api, machine_.clock, kOwnNamespace, name),
      seams_{machine_.api, machine_.clock, machine_.server_time, machine_.sessions, elector_, machine_.metrics},
      sweeper_(seams_, {name, options.policy}, options.sweeper),
      thaw_on_(options.sweeper.thaw_on),
      process_(runtime_, name) {
  for (int kind = 0; kind < sweeper::kKinds; ++kind) {
    if (!is_watched(static_cast<sweeper::Kind>(kind), thaw_on_)) continue;
    process_.spawn("watch", [this, kind] { watch(static_cast<sweeper::Kind>(kind)); });
  }
  process_.spawn("elect", [this] { elect(); });
  process_.spawn("plan", [this] { plan(); });
}

void SimSweeper::watch(sweeper::Kind kind) {
  sweeper::Feed feed(kind, thaw_on_, [this](const sweeper::Change& change) {
    sweeper_.on_change(change);
    wake();
  });
  kube::Watcher watcher(sweeper::Feed::options(kind, kOwnNamespace), feed, [] { return 0.5; });
  run_watch(machine_.api, machine_.clock, watcher);
}

void SimSweeper::elect() {
  while (!sweeper_.synced() && machine_.clock.wait(Millis(20))) continue;
  do {
    const Millis pause = elector_.step();
    wake();
    if (!machine_.clock.wait(pause)) return;
  } while (true);
}

void SimSweeper::wake() {
  const Lock lock = runtime_.lock();
  news_ = true;
  runtime_.wake(changed_);
}

void SimSweeper::plan() {
  for (;;) {
    for (const sweeper::Job& job : sweeper_.take_due()) {
      process_.spawn("job", [this, job] { carry_out(job); });
    }
    const Mono until = std::min(sweeper_.next_wake(), runtime_.now() + std::chrono::hours(1));
    Lock lock = runtime_.lock();
    runtime_.wait_until(lock, changed_, until, [this] { return news_; });
    news_ = false;
  }
}

void SimSweeper::carry_out(const sweeper::Job& job) {
  const auto outcome = sweeper_.run(job);
  sweeper_.done(outcome);
  wake();
}

SimWebhook::SimWebhook(cluster::Cluster& cluster, const std::string& name, std::vector<std::string>& unrecorded,
                       const SimOptions& options)
    : machine_(cluster, name, unrecorded, options.clock_off),
      admission_({machine_.api, machine_.clock, machine_.server_time, machine_.sessions, machine_.metrics}, liveness_,
                 webhook::Settings{name, options.policy}),
      handler_(admission_, machine_.clock, machine_.metrics),
      process_(cluster.runtime(), name) {
  process_.spawn("liveness", [this] { follow_leader(); });
  transport_ =
      std::make_shared<cluster::InProcessWebhook>(process_, [this](const std::string& target, const std::string& body) {
        return reply_of(handler_(request_of(target, body, machine_.clock.monotonic())));
      });
}

void SimWebhook::follow_leader() {
  const std::string path = kube::object_path(kube::kLeases, kOwnNamespace, freeze::kLeaderLease);
  do {
    const Mono sent = machine_.clock.monotonic();
    liveness_.observe(kube::get(machine_.api, path, webhook::kLivenessInterval), sent);
  } while (machine_.clock.wait(webhook::kLivenessInterval));
}

Sim::Sim(std::uint64_t seed, const cluster::VmOptions& vm, const SimOptions& its_options)
    : options(its_options), runtime(seed), cluster(runtime) {
  log::configure(log::Format::kText, log::Level::kError);
  cluster.add_namespace(kOwnNamespace);
  cluster.add_vm(vm);
  webhook = std::make_unique<SimWebhook>(cluster, "webhook-0", unrecorded, options);
  cluster.admission().register_webhook({}, {webhook->transport()});
}

SimSweeper& Sim::start_sweeper(const std::string& name) {
  sweepers[name] = std::make_unique<SimSweeper>(cluster, name, unrecorded, options);
  return *sweepers[name];
}

SimSweeper& Sim::lead(const std::string& name) {
  SimSweeper& sweeper = start_sweeper(name);
  wait(Millis(60000), [&] { return sweeper.leads() && sweeper.core().synced(); });
  sleep(2 * webhook::kLivenessInterval);
  return sweeper;
}

bool Sim::wait(Millis limit, const std::function<bool()>& done) {
  const Mono begin = runtime.now();
  while (!done()) {
    const auto waited = runtime.now() - begin;
    if (waited >= limit) return false;
    runtime.sleep_for(waited < Millis(2000) ? Millis(5) : Millis(250));
  }
  return true;
}

bool Sim::wait_for_verdict(const std::string& backup, Millis limit) {
  return wait(limit, [&] { return !consistency(backup).empty(); });
}

bool Sim::wait_for_no_session(Millis limit) {
  return wait(limit, [&] { return sessions().empty(); });
}

void Sim::cut_after(Millis duration) {
  cluster::DiskOptions disk;
  disk.cut = duration;
  cluster.storage().set_default(disk);
}

void Sim::backup(const std::string& name, const std::string& deadline) {
  cluster.start_backup("vms", name, "vm1", deadline);
}

std::string Sim::note(const std::string& resource, const std::string& name, const std::string& annotation) {
  return annotations_of(cluster.get(resource, "vms", name)).value(kPrefix + annotation, "");
}

std::string Sim::consistency(const std::string& backup) {
  return note("harvesterhci.io/virtualmachinebackups", backup, "consistency");
}

std::string Sim::reason(const std::string& backup) {
  return note("harvesterhci.io/virtualmachinebackups", backup, "reason");
}

std::vector<cluster::Json> Sim::objects(const std::string& group, const std::string& resource) {
  return cluster.locked([&] {
    std::vector<cluster::Json> all;
    auto& store = cluster.store();
    for (const auto& object : store.all(store.resources().at(group, resource))) all.push_back(object->json);
    return all;
  });
}

std::vector<cluster::Json> Sim::sessions() {
  auto leases = objects("coordination.k8s.io", "leases");
  std::erase_if(leases, [](const cluster::Json& lease) { return lease["metadata"]["name"] == freeze::kLeaderLease; });
  return leases;
}

bool Sim::frozen(const std::string& vm) {
  return cluster.locked([&] { return cluster.truth().frozen_now(vm); });
}

cluster::Consistency Sim::truth(const std::string& backup, int disks) {
  return cluster.locked([&] { return cluster.truth().consistency("vms", backup, disks); });
}

Millis Sim::longest_frozen(const std::string& vm) {
  return cluster.locked([&] { return cluster.truth().longest_frozen(vm); });
}

void Sim::print_timeline() {
  cluster.locked([&] {
    for (const auto& entry : cluster.truth().timeline()) {
      std::printf("%10.1f %-10s %s %s\n", cluster.truth().since_start(entry.at), entry.kind.c_str(),
                  entry.object.c_str(), entry.detail.c_str());
    }
  });
}

}  // namespace snapfreeze::test
