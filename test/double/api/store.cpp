#include "test/double/api/store.h"

#include <algorithm>

#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/status.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

ObjectKey key_of(const Json& object) {
  const Json& metadata = object["metadata"];
  return {metadata.value("namespace", ""), metadata.value("name", "")};
}

// What a client cannot change, put back.
void keep_system_fields(const Json& before, Json& after) {
  const Json& old_metadata = before["metadata"];
  Json& metadata = after["metadata"];
  for (const char* field : {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation",
                            "generateName", "resourceVersion"}) {
    const auto old = old_metadata.find(field);
    if (old == old_metadata.end()) {
      metadata.erase(field);
    } else if (Json& now = metadata[field]; now != *old) {
      now = *old;
    }
  }
}

void keep_status(const Json& before, Json& after) {
  if (before.contains("status")) {
    after["status"] = before["status"];
  } else {
    after.erase("status");
  }
}

template <class Objects>
std::vector<ObjectRef> chosen(const Objects& objects, const std::string& ns, const Selector& selector) {
  std::vector<ObjectRef> found;
  for (auto at = ns.empty() ? objects.begin() : objects.lower_bound({ns, ""}); at != objects.end(); ++at) {
    if (!ns.empty() && at->first.first != ns) break;
    if (selector.matches(at->second->json)) found.push_back(at->second);
  }
  return found;
}

}  // namespace

Store::Store(Runtime& runtime, Agenda& agenda) : runtime_(runtime), agenda_(agenda) {
  for (const char* name : {"default", "kube-system", "harvester-system", "longhorn-system", "snapfreeze"}) {
    add_namespace(name);
  }
}

Store::Table& Store::table(const ResourceType& type) const {
  return tables_[type.group_resource()];
}

void Store::add_namespace(const std::string& name, const std::map<std::string, std::string>& labels) {
  const ResourceType& type = resources_.at("", "namespaces");
  if (get(type, "", name) != nullptr) return;
  Json all = labels;
  all["kubernetes.io/metadata.name"] = name;
  create(type, "",
         {{"apiVersion", "v1"},
          {"kind", "Namespace"},
          {"metadata", {{"name", name}, {"labels", all}}},
          {"status", {{"phase", "Active"}}}});
}

ObjectRef Store::get(const ResourceType& type, const std::string& ns, const std::string& name) const {
  const Table& kind = table(type);
  const auto found = kind.objects.find({ns, name});
  return found == kind.objects.end() ? nullptr : found->second;
}

StoreResult Store::create(const ResourceType& type, const std::string& ns, Json object, bool dry_run) {
  Json& metadata = object["metadata"];
  if (type.namespaced) {
    if (get(resources_.at("", "namespaces"), "", ns) == nullptr) return not_found(resources_.at("", "namespaces"), ns);
    metadata["namespace"] = ns;
  }
  const std::string prefix = metadata.value("generateName", "");
  if (metadata.value("name", "").empty() && !prefix.empty()) metadata["name"] = generated_name(runtime_, prefix);
  metadata["uid"] = new_uid(runtime_);
  metadata["creationTimestamp"] = rfc3339(wall());
  metadata["generation"] = 1;
  metadata.erase("deletionTimestamp");
  const std::string name = metadata.value("name", "");
  if (const auto found = problems(type, object); !found.empty()) return invalid(type, name, found);
  if (get(type, ns, name) != nullptr) return already_exists(type, name);
  if (dry_run) {
    auto preview = std::make_shared<StoredObject>();
    preview->text = object.dump();
    preview->json = std::move(object);
    return preview;
  }
  return commit(type, EventType::kAdded, nullptr, std::move(object));
}

StoreResult Store::update(const ResourceType& type, const std::string& ns, const std::string& name, Scope scope,
                          const Change& change, bool dry_run) {
  const ObjectRef before = get(type, ns, name);
  if (before == nullptr) return not_found(type, name);
  Json after = before->json;
  if (std::optional<Reply> refusal = change(after)) return *refusal;
  keep_system_fields(before->json, after);
  if (scope == Scope::kMain && type.has_status) keep_status(before->json, after);
  if (scope == Scope::kStatus) {
    Json status = after.contains("status") ? after["status"] : Json();
    after = before->json;
    if (status.is_null()) {
      after.erase("status");
    } else {
      after["status"] = std::move(status);
    }
  }
  if (const auto found = problems(type, after); !found.empty()) return invalid(type, name, found);
  if (after == before->json) return before;
  if (part(after, "spec") != part(before->json, "spec")) {
    after["metadata"]["generation"] = before->json["metadata"].value("generation", 1) + 1;
  }
  if (dry_run) {
    auto preview = std::make_shared<StoredObject>();
    preview->text = after.dump();
    preview->json = std::move(after);
    return preview;
  }
  const Json& metadata = after["metadata"];
  if (metadata.contains("deletionTimestamp") && part(metadata, "finalizers").empty()) {
    erase(type, before);  // watches see the deletion only
    return before;
  }
  return commit(type, EventType::kModified, before, std::move(after));
}

StoreResult Store::remove(const ResourceType& type, const std::string& ns, const std::string& name,
                          const DeleteOptions& options) {
  const ObjectRef object = get(type, ns, name);
  if (object == nullptr) return not_found(type, name);
  const Json& metadata = object->json["metadata"];
  if (!options.uid.empty() && metadata.value("uid", "") != options.uid) {
    return conflict(type, name,
                    "Precondition failed: UID in precondition: " + options.uid +
                        ", UID in object meta: " + metadata.value("uid", ""));
  }
  if (!options.resource_version.empty() && metadata.value("resourceVersion", "") != options.resource_version) {
    return conflict(type, name,
                    "Precondition failed: ResourceVersion in precondition: " + options.resource_version +
                        ", ResourceVersion in object meta: " + metadata.value("resourceVersion", ""));
  }
  if (part(metadata, "finalizers").empty()) {
    erase(type, object);
  } else if (!metadata.contains("deletionTimestamp")) {
    Json dying = object->json;
    dying["metadata"]["deletionTimestamp"] = rfc3339(wall());
    return commit(type, EventType::kModified, object, std::move(dying));
  }
  return object;
}

// The one place where a version is given, history written, and the world told.
ObjectRef Store::commit(const ResourceType& type, EventType event, const ObjectRef& before, Json after) {
  auto stored = std::make_shared<StoredObject>();
  stored->version = ++version_;
  after["metadata"]["resourceVersion"] = std::to_string(version_);
  stored->text = after.dump();
  stored->json = std::move(after);
  Table& kind = table(type);
  const ObjectKey key = key_of(stored->json);
  if (event == EventType::kDeleted) {
    kind.objects.erase(key);
    owners_.replace({&type, key}, before, nullptr);
  } else {
    kind.objects[key] = stored;
    owners_.replace({&type, key}, before, stored);
    if (owners_.is_orphan(stored)) agenda_.after(2s, [this, &type, key] { collect_orphan(type, key); });
  }
  const WatchEvent entry{event, version_, runtime_.now(), stored, before};
  kind.log.append(entry);
  runtime_.wake(kind.changed);
  for (const Observer& observer : kind.observers) observer(entry);
  return stored;
}

void Store::erase(const ResourceType& type, const ObjectRef& object) {
  const std::string uid = object->json["metadata"].value("uid", "");
  commit(type, EventType::kDeleted, object, object->json);
  agenda_.after(runtime_.random(20ms, 100ms), [this, uid] { collect_children(uid); });
}

void Store::collect_children(const std::string& uid) {
  for (const auto& [type, key] : owners_.take_children(uid)) collect_orphan(*type, key);
}

void Store::collect_orphan(const ResourceType& type, const ObjectKey& key) {
  const ObjectRef object = get(type, key.first, key.second);
  if (object != nullptr && owners_.is_orphan(object)) remove(type, key.first, key.second);
}

std::vector<ObjectRef> Store::all(const ResourceType& type, const std::string& ns, const Selector& selector) const {
  return chosen(table(type).objects, ns, selector);
}

Store::Objects Store::objects_at(const Table& kind, std::uint64_t version) {
  Objects objects = kind.objects;
  const auto& events = kind.log.events();
  for (auto event = events.rbegin(); event != events.rend() && event->version > version; ++event) undo(objects, *event);
  return objects;
}

std::variant<ListPage, Reply> Store::list(const ResourceType& type, const std::string& ns, const Selector& selector,
                                          std::size_t limit, const std::string& token,
                                          std::optional<std::uint64_t> as_of) {
  if (!token.empty()) {
    if (auto page = pages_.next(token, limit)) return *page;
    return expired("The provided continue parameter is too old to display a consistent list result.");
  }
  if (!as_of) return pages_.first(all(type, ns, selector), version_, limit);
  if (*as_of > version_) {
    return refuse(
        504, "Timeout",
        "Timeout: Too large resource version: " + std::to_string(*as_of) + ", current: " + std::to_string(version_));
  }
  const Table& kind = table(type);
  if (!kind.log.reaches_back_to(*as_of)) {
    return expired("The provided resource version is too old to display a consistent list result.");
  }
  return pages_.first(chosen(objects_at(kind, *as_of), ns, selector), *as_of, limit);
}

void Store::compact() {
  for (auto& [name, kind] : tables_) kind.log.compact(version_);
  pages_.clear();
}

void Store::undo(Objects& objects, const WatchEvent& event) {
  const ObjectKey key = key_of(event.object->json);
  if (event.before == nullptr) {
    objects.erase(key);
  } else {
    objects[key] = event.before;
  }
}

void Store::restore(Mono when) {
  std::uint64_t lost = 0;
  for (auto& [name, kind] : tables_) {
    for (const WatchEvent& event : kind.log.rewind(when)) {
      undo(kind.objects, event);
      ++lost;
    }
  }
  version_ -= lost;  // each change has made one
  pages_.clear();
  index_all();
}

void Store::index_all() {
  owners_.clear();
  for (const ResourceType& type : resources_.all()) {
    for (const auto& [key, object] : table(type).objects) owners_.replace({&type, key}, nullptr, object);
  }
}

void Store::expire_watches() {
  ++expirations_;
  wake_watches();
}

void Store::wake_watches() {
  for (auto& [name, kind] : tables_) runtime_.wake(kind.changed);
}

void Store::observe(const std::string& group, const std::string& resource, Observer observer) {
  table(resources_.at(group, resource)).observers.push_back(std::move(observer));
}

}  // namespace cluster
