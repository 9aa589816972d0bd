#include "test/double/harvester/harvester.h"

#include <algorithm>

#include "test/double/api/api.h"
#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/store.h"
#include "test/double/truth.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

// What is not a freeze is tried so often; with the pause between, longer than the API server is ever away in a test.
constexpr int kOtherTries = 40;
constexpr auto kOtherRetry = 500ms;

std::pair<std::string, std::string> split(const std::string& key) {
  const std::size_t slash = key.find('/');
  return {key.substr(0, slash), key.substr(slash + 1)};
}

std::string backup_path(const std::string& ns, const std::string& name) {
  return "/apis/harvesterhci.io/v1beta1/namespaces/" + ns + "/virtualmachinebackups/" + name;
}

bool in_error(const Json& backup) {
  return backup.contains("status") && backup["status"].contains("error") && !backup["status"]["error"].is_null();
}

}  // namespace

Harvester::Harvester(Runtime& runtime, Store& store, Agenda& agenda, Api& api, Truth& truth, int workers)
    : runtime_(runtime), store_(store), agenda_(agenda), api_(api), truth_(truth) {
  const Lock lock = runtime_.lock();
  store_.observe(kHarvesterGroup, kHarvesterBackups, [this](const WatchEvent& event) {
    const Json& metadata = event.object->json["metadata"];
    if (event.type == EventType::kAdded) enqueue(metadata.value("namespace", "") + "/" + metadata.value("name", ""));
  });
  // A deleted snapshot wakes nobody; it is missed at the next occasion.
  store_.observe("snapshot.storage.k8s.io", "volumesnapshots", [this](const WatchEvent& event) {
    if (event.type == EventType::kDeleted) return;
    const Json& metadata = event.object->json["metadata"];
    for (const Json& owner : part(metadata, "ownerReferences")) {
      if (owner.value("kind", "") != "VirtualMachineBackup") continue;
      enqueue(metadata.value("namespace", "") + "/" + owner.value("name", ""));
    }
  });
  for (int i = 0; i < workers; ++i) {
    workers_.push_back(runtime_.spawn("harvester-" + std::to_string(i), [this] { work(); }));
  }
}

Harvester::~Harvester() {
  stop();
}

void Harvester::stop() {
  for (const FiberRef& worker : workers_) runtime_.kill(worker);
  for (const FiberRef& worker : workers_) runtime_.join(worker);
  workers_.clear();
}

void Harvester::set_options(const HarvesterOptions& options) {
  const Lock lock = runtime_.lock();
  options_ = options;
}

HarvesterOptions Harvester::options() {
  const Lock lock = runtime_.lock();
  return options_;
}

void Harvester::reconcile_again(const std::string& ns, const std::string& name, int times, Millis every) {
  const Lock lock = runtime_.lock();
  retry(ns + "/" + name, times, every);
}

void Harvester::restart() {
  const Lock lock = runtime_.lock();
  truth_.note("harvester", "", "restarted");
  for (const ObjectRef& backup : store_.all(store_.resources().at(kHarvesterGroup, kHarvesterBackups))) {
    const Json& metadata = backup->json["metadata"];
    const std::string key = metadata.value("namespace", "") + "/" + metadata.value("name", "");
    retry(key, in_error(backup->json) ? options_.retries : 1, options_.retry_every);
  }
}

// Precondition: the lock is held.
void Harvester::retry(const std::string& key, int times, Millis every) {
  for (int i = 0; i < times; ++i) {
    agenda_.after(i * every, [this, key] {
      retries_.insert(key);
      enqueue(key);
    });
  }
}

// Precondition: the lock is held.
void Harvester::enqueue(const std::string& key) {
  if (std::find(queue_.begin(), queue_.end(), key) != queue_.end()) return;
  queue_.push_back(key);
  runtime_.wake(queued_);
}

void Harvester::work() {
  Lock lock = runtime_.lock();
  while (true) {
    const auto free = [this] {
      return std::find_if(queue_.begin(), queue_.end(),
                          [this](const std::string& key) { return busy_.count(key) == 0; });
    };
    runtime_.wait_until(lock, queued_, kNever, [&] { return free() != queue_.end(); });
    const auto next = free();
    const std::string key = *next;
    queue_.erase(next);
    busy_.insert(key);
    const bool retry = retries_.erase(key) != 0;
    lock.unlock();
    const auto [ns, name] = split(key);
    try {
      reconcile(ns, name, retry);
    } catch (const Json::exception&) {
      // Somebody has written into the backup what no schema allows; the real one logs it.
    }
    lock.lock();
    busy_.erase(key);
    runtime_.wake(queued_);
  }
}

void Harvester::reconcile(const std::string& ns, const std::string& name, bool retry) {
  const ObjectRef seen_first = seen(kHarvesterGroup, kHarvesterBackups, ns, name);
  if (seen_first == nullptr) return;
  const Json& backup = seen_first->json;
  if (backup["metadata"].contains("deletionTimestamp")) return;
  if (in_error(backup)) return retry ? try_again(ns, name) : follow_snapshots(ns, name);
  if (!backup.contains("status") || !backup["status"].contains("volumeBackups")) {
    if (!write_volume_backups(ns, name)) return;
  }
  if (cached(kHarvesterGroup, kHarvesterBackups, ns, name)["status"].value("readyToUse", false)) return;
  if (take_snapshots(ns, name)) follow_snapshots(ns, name);
}

// One attempt; an error says when it was.
void Harvester::try_again(const std::string& ns, const std::string& name) {
  const Json backup = cached(kHarvesterGroup, kHarvesterBackups, ns, name);
  if (!backup["status"].contains("volumeBackups") && !write_volume_backups(ns, name)) return;
  if (take_missing(ns, name, missing_disks(ns, name).size()) != Outcome::kDone) {
    return set_error(ns, name, "failed to create volume snapshots");
  }
  follow_snapshots(ns, name);
}

// Creates what is missing, with retries; false when the backup is given up or gone.
bool Harvester::take_snapshots(const std::string& ns, const std::string& name) {
  const HarvesterOptions options = this->options();
  const std::string key = ns + "/" + name;
  std::size_t at_most = missing_disks(ns, name).size();
  if (options.disks_first >= 0) {
    const Lock lock = runtime_.lock();
    const auto [entry, first_time] = others_later_.try_emplace(key, runtime_.now() + options.later);
    if (first_time) {
      at_most = static_cast<std::size_t>(options.disks_first);
      agenda_.at(entry->second, [this, key] { enqueue(key); });
    } else if (runtime_.now() < entry->second) {
      at_most = 0;
    }
  }
  int freeze_failures = 0;
  for (int failures = 0; failures < kOtherTries;) {
    const std::size_t before = missing_disks(ns, name).size();
    const Outcome outcome = take_missing(ns, name, at_most);
    if (outcome == Outcome::kDone) return true;
    at_most -= std::min(at_most, before - std::min(before, missing_disks(ns, name).size()));
    if (cached(kHarvesterGroup, kHarvesterBackups, ns, name).is_null()) return false;
    if (outcome == Outcome::kFreezeFailed) {
      if (++freeze_failures >= options.freeze_tries) break;
      runtime_.sleep_for(runtime_.random(options.freeze_retry_low, options.freeze_retry_high));
    } else {
      ++failures;
      runtime_.sleep_for(kOtherRetry);
    }
  }
  set_error(ns, name, "failed to create volume snapshots");
  return false;
}

Harvester::Outcome Harvester::take_missing(const std::string& ns, const std::string& name, std::size_t at_most) {
  const HarvesterOptions options = this->options();
  std::vector<Disk> disks = missing_disks(ns, name);
  if (!options.in_order) {
    for (std::size_t i = disks.size(); i > 1; --i) {
      std::swap(disks[i - 1], disks[runtime_.random(std::uint64_t{0}, i - 1)]);
    }
  }
  disks.resize(std::min(disks.size(), at_most));
  bool first = true;
  Outcome worst = Outcome::kDone;
  for (const Disk& disk : disks) {
    if (!first) runtime_.sleep_for(runtime_.random(options.between_disks_low, options.between_disks_high));
    first = false;
    Outcome outcome = freeze_and_create(ns, name, disk);
    if (outcome != Outcome::kDone && options.stops_at_failure) return outcome;
    if (outcome != Outcome::kDone) {
      worst = outcome;
      continue;
    }
    bool repeat = false;
    {
      const Lock lock = runtime_.lock();
      auto& repeated = repeated_[ns + "/" + name];
      repeat = static_cast<int>(repeated.size()) < options.create_twice && repeated.insert(disk.snapshot).second;
    }
    if (!repeat) continue;
    runtime_.sleep_for(runtime_.random(options.between_disks_low, options.between_disks_high));
    outcome = freeze_and_create(ns, name, disk);
    if (outcome != Outcome::kDone) return outcome;
  }
  return worst;
}

Harvester::Outcome Harvester::freeze_and_create(const std::string& ns, const std::string& name, const Disk& disk) {
  const HarvesterOptions options = this->options();
  const Json backup = cached(kHarvesterGroup, kHarvesterBackups, ns, name);
  if (backup.is_null()) return Outcome::kFailed;
  const std::string vm = backup["spec"]["source"]["name"];
  const ObjectRef vmi = seen("kubevirt.io", "virtualmachineinstances", ns, vm);
  bool agent = false;
  if (vmi != nullptr) {
    for (const Json& condition : vmi->json["status"]["conditions"]) {
      agent = agent || (condition["type"] == "AgentConnected" && condition["status"] == "True");
    }
  }
  // The real one writes the annotation first: it is there also when the freeze fails.
  if (!annotate_freeze(ns, name, agent)) return Outcome::kFailed;
  if (agent) {
    const Reply reply =
        call("PUT", "/apis/subresources.kubevirt.io/v1/namespaces/" + ns + "/virtualmachineinstances/" + vm + "/freeze",
             {{"unfreezeTimeout", backup["spec"].value("fsFreezeDeadline", "1s")}});
    if (reply.dropped) return Outcome::kFailed;
    if (reply.status >= 300) return Outcome::kFreezeFailed;
  }
  runtime_.sleep_for(runtime_.random(options.freeze_to_create_low, options.freeze_to_create_high));
  return create_snapshot(backup, disk) ? Outcome::kDone : Outcome::kFailed;
}

ObjectRef Harvester::seen(const std::string& group, const std::string& resource, const std::string& ns,
                          const std::string& name) {
  const Lock lock = runtime_.lock();
  return store_.get(store_.resources().at(group, resource), ns, name);
}

Json Harvester::cached(const std::string& group, const std::string& resource, const std::string& ns,
                       const std::string& name) {
  const ObjectRef object = seen(group, resource, ns, name);
  return object == nullptr ? Json() : object->json;
}

Reply Harvester::call(const std::string& method, const std::string& target, const Json& body) {
  HttpRequest request;
  request.method = method;
  request.set_target(target);
  request.body = body.dump();
  request.headers["content-type"] = "application/json";
  request.caller = kHarvesterUser;
  request.user_agent = "harvester/v1.9";
  return api_.handle(request);
}

// As its Update(): the whole object with the version that was read.
bool Harvester::update(const std::string& ns, const Json& backup) {
  const Reply reply = call("PUT", backup_path(ns, backup["metadata"]["name"]), backup);
  return !reply.dropped && reply.status == 200;
}

void Harvester::set_error(const std::string& ns, const std::string& name, const std::string& message) {
  for (int attempt = 0; attempt < kOtherTries; ++attempt) {
    Json backup = cached(kHarvesterGroup, kHarvesterBackups, ns, name);
    if (backup.is_null()) return;
    backup["status"]["error"] = {{"message", message}, {"time", rfc3339(runtime_.wall())}};
    backup["status"]["readyToUse"] = false;
    if (update(ns, backup)) break;
    runtime_.sleep_for(kOtherRetry);
  }
  const Lock lock = runtime_.lock();
  truth_.note("backup", ns + "/" + name, "error: " + message);
}

}  // namespace cluster
