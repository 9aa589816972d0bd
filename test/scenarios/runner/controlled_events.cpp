// What happens in a scenario, done through the double's control endpoints and its API.
#include <stdexcept>

#include "test/scenarios/runner/controlled_system.h"
#include "test/scenarios/runner/objects.h"
#include "test/scenarios/runner/placeholders.h"

namespace runner {
namespace {

int count_of(const Event& event) {
  return event.times == 0 ? -1 : event.times;
}

bool holds_back(const Event& event) {
  return event.target == "lag" || (event.target == "silent" && event.times == 0);
}

}  // namespace

void ControlledSystem::happen(const Event& event) {
  const std::string& what = event.target;
  switch (event.action) {
    case Action::kFreeze:
      return guest_fault(event, "freeze");
    case Action::kThaw:
      return guest_fault(event, "unfreeze");
    case Action::kApiServer:
      if (what == "gone") return void(control("POST", "api", {{"down_for", event.lasts.count()}}));
      return fault(event, what == "slow" ? "delay-before" : "status", "");
    case Action::kWatches:
      return end_watches(event);
    case Action::kLoseReply:
      return fault(event, "drop-after", what);
    case Action::kStop:
      return on_vm(what, "stop");
    case Action::kStart:
      return on_vm(what, "start");
    case Action::kRestart:
      return on_vm(what, "restart");
    case Action::kPause:
      return on_vm(what, "pause");
    case Action::kResume:
      return on_vm(what, "resume");
    case Action::kMigrate:
      return on_vm(what, "migrate", {{"duration", event.lasts.count()}});
    case Action::kVmSnapshot:
      return on_vm(what, "snapshot", {{"name", "by-hand"}, {"duration", event.lasts.count()}});
    case Action::kKubevirtBackup:
      return on_vm(what, "kubevirt-backup",
                   {{"duration", event.lasts.count()}, {"tracker", event.tracker}, {"fails", event.fails}});
    case Action::kFreezeByHand:
      return request("admin", "PUT", freeze_path(namespace_of(what), what), freeze_body(event.lasts));
    case Action::kThawByHand:
      return request("admin", "PUT", thaw_path(namespace_of(what), what), Json());
    case Action::kPowerOff:
      return on_vm(what, "shut-down-inside");
    case Action::kCrash:
      return on_vm(what, "crash");
    case Action::kRecreate:
      return on_vm(what, "recreate");
    case Action::kPatch:
    case Action::kCreate:
    case Action::kDelete:
      return change(event);
    case Action::kStepClock:
      return void(control("POST", "api", {{"step_clock", event.lasts.count()}}));
    case Action::kRestoreEtcd:
      return void(control("POST", "api", {{"restore_etcd", event.lasts.count()}}));
    case Action::kHarvester:
      return void(control("POST", "harvester/restart", Json::object()));
    case Action::kLonghorn:
      return void(control("POST", "longhorn", {{"mood", what}, {"for", event.lasts.count()}}));
    case Action::kDeleteBackup:
      return delete_object(kBackupsOfHarvester, what, what);
    case Action::kDeleteSnapshot:
      return delete_object(kVolumeSnapshots, event.backup, snapshot_name(event.backup, what));
    case Action::kRejectSnapshot:
      control("POST", "admission",
              {{"reject",
                {{"ns", namespace_of_backup(event.backup)},
                 {"name", snapshot_name(event.backup, what)},
                 {"times", count_of(event)}}}});
      return;
    case Action::kRetryBackup:
      control(
          "POST", "harvester/reconcile",
          {{"ns", namespace_of_backup(what)}, {"name", what}, {"times", event.times}, {"every", event.every.count()}});
      return;
    case Action::kKill:
      return kill(event);
    case Action::kHang:
      return hang(event);
  }
}

void ControlledSystem::on_vm(const std::string& vm, const std::string& action, const Json& body) {
  control("POST", "vms/" + namespace_of(vm) + "/" + vm + "/" + action, body);
}

void ControlledSystem::delete_object(const std::string& collection, const std::string& backup,
                                     const std::string& name) {
  request("admin", "DELETE", object_path(collection, namespace_of_backup(backup), name), Json());
}

void ControlledSystem::fault(const Event& event, const std::string& kind, const std::string& verb) {
  for (const std::string& caller : callers(event.by)) {
    control("POST", "faults",
            {{"kind", kind},
             {"caller", caller},
             {"verb", verb},
             {"nth", event.first},
             {"count", count_of(event)},
             {"delay", event.lasts.count()}});
  }
}

void ControlledSystem::guest_fault(const Event& event, const std::string& operation) {
  const std::string kind = event.target == "late" ? "late" : event.target == "fails-half-way" ? "halfway" : "fail";
  for (const std::string& caller : callers(event.by)) {
    on_vm(event.vm, "fault",
          {{"operation", operation},
           {"kind", kind},
           {"caller", caller},
           {"nth", event.first},
           {"count", count_of(event)},
           {"delay", event.late_by.count()}});
  }
}

void ControlledSystem::end_watches(const Event& event) {
  if (holds_back(event)) return hold_back_watches(event);
  // etcd keeps five minutes, so the start of a session is not forgotten.
  if (event.target == "expired") control("POST", "api", {{"expire_watches", true}});
  const std::string kind = event.target == "expired" ? "expire-watch" : event.target + "-watch";
  const std::string collection = event.of.empty() ? "" : find_kind(event.of)->collection;
  for (const std::string& caller : callers(event.by)) {
    control("POST", "faults",
            {{"kind", kind},
             {"verb", "watch"},
             {"caller", caller},
             {"path", collection.substr(std::min(collection.rfind('/'), collection.size()))},
             {"count", event.times}});
  }
}

void ControlledSystem::hold_back_watches(const Event& event) {
  Json body = {{"collection", event.of.empty() ? "" : collection_of(*find_kind(event.of))},
               {"for", event.lasts.count()}};
  if (event.target == "lag") body["late_by"] = event.late_by.count();
  for (const std::string& caller : callers(event.by)) {
    body["caller"] = caller;
    control("POST", "watches", body);
  }
}

void ControlledSystem::hang(const Event& event) {
  for (const std::string& name : processes(event.target)) {
    if (event.after_call > 0 || event.before_call > 0) {
      hang_at_call(name, event);
    } else {
      hang_process(name, event.lasts);
    }
  }
}

// As any user: the double refuses what that one may not.
void ControlledSystem::change(const Event& event) {
  const ObjectName of = parse_object_name(event.target);
  const std::string collection = collection_of(*of.kind);
  const std::string ns = !of.kind->namespaced ? "" : of.ns == kOwnNamespace ? own_namespace() : of.ns;
  const std::string name = filled(Json(of.name)).get<std::string>();
  if (event.action == Action::kCreate) {
    Json object = {{"apiVersion", collection.substr(0, collection.rfind('/'))},
                   {"kind", of.kind->kind},
                   {"metadata", {{"name", name}}}};
    object.merge_patch(filled(event.with));
    return request(event.by, "POST", collection_path(collection, ns), object);
  }
  const bool patch = event.action == Action::kPatch;
  const int status =
      act(event.by, patch ? "PATCH" : "DELETE", object_path(collection, ns, name), patch ? filled(event.with) : Json());
  // What RBAC refuses is part of the story; what names nothing is a mistake in the file.
  if (status / 100 != 2 && status != 403) {
    throw std::runtime_error(event.target + ": to " + (patch ? "patch" : "delete") + " it was answered " +
                             std::to_string(status));
  }
}

std::string ControlledSystem::collection_of(const KindWord& kind) const {
  const std::string collection = kind.collection;
  for (const Served& served : scenario_.served) {
    if (served.kind != &kind || served.version.empty()) continue;
    return collection.substr(0, collection.find('/') + 1) + served.version + collection.substr(collection.rfind('/'));
  }
  return collection;
}

// Every string of it.
nlohmann::json ControlledSystem::filled(Json json) {
  if (json.is_string()) {
    return runner::filled(json.get<std::string>(), [this](const Placeholder& one) { return resolve(one); });
  }
  if (json.is_object()) {
    Json out = Json::object();
    for (const auto& [key, value] : json.items()) out[filled(Json(key)).get<std::string>()] = filled(value);
    return out;
  }
  for (Json& each : json) {
    if (json.is_array()) each = filled(each);
  }
  return json;
}

std::string ControlledSystem::resolve(const Placeholder& placeholder) {
  const std::string& of = placeholder.of;
  if (placeholder.word == "namespace") return of == kOwnNamespace ? own_namespace() : of + scenario_.suffix;
  if (placeholder.word == "snapshot") return snapshot_name(of.substr(0, of.find('/')), of.substr(of.find('/') + 1));
  if (placeholder.word == "uid") return uid_of(of);
  const Vm* const vm = scenario_.find_vm(of);
  if (vm == nullptr) throw std::runtime_error("${" + placeholder.word + ":" + of + "}: there is no such VM");
  const std::string lease = vm->namespace_ + "." + vm->name;
  return placeholder.word == "lease" ? lease : uid_of("leases/" + std::string(kOwnNamespace) + "/" + lease);
}

// "kind/namespace/name", or "kind/name" of what the file itself names.
std::string ControlledSystem::uid_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  const KindWord* const kind = find_kind(text.substr(0, slash));
  if (kind == nullptr || slash == std::string::npos) throw std::runtime_error("${uid:" + text + "}: names no object");
  std::string name = text.substr(slash + 1);
  std::string ns;
  if (kind->namespaced && name.find('/') != std::string::npos) {
    ns = name.substr(0, name.find('/'));
    ns = ns == kOwnNamespace ? own_namespace() : ns + scenario_.suffix;
    name.erase(0, name.find('/') + 1);
  } else if (kind->namespaced) {
    ns = namespace_of_named(*kind, name);
  }
  const Json found = object(collection_of(*kind), ns, name);
  if (found.is_null()) throw std::runtime_error("${uid:" + text + "}: there is no such object then");
  return found["metadata"]["uid"];
}

std::string ControlledSystem::namespace_of_named(const KindWord& kind, const std::string& name) const {
  if (kind.word == std::string("backups") && scenario_.find_backup(name) != nullptr) return namespace_of_backup(name);
  for (const Snapshot& snapshot : scenario_.snapshots) {
    if (kind.word == std::string("snapshots") && snapshot.name == name) return snapshot.namespace_;
  }
  if (scenario_.find_vm(name) != nullptr) return namespace_of(name);
  return "vms" + scenario_.suffix;
}

void ControlledSystem::kill(const Event& event) {
  for (const std::string& name : processes(event.target)) {
    if (event.after_call == 0) {
      kill_process(name, event.back_after);
    } else {
      kill_at_call(name, event.after_call, event.back_after);
      control("POST", "faults", {{"kind", "kill-after"}, {"caller", name}, {"nth", event.after_call}});
    }
  }
}

}  // namespace runner
