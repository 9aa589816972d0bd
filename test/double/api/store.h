// The objects of the cluster, with Kubernetes' rules of versions, conflicts, watches, deletion and metadata.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/api/list_pages.h"
#include "test/double/api/owners.h"
#include "test/double/api/resources.h"
#include "test/double/api/selectors.h"
#include "test/double/api/watch_log.h"
#include "test/double/runtime/agenda.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

using StoreResult = std::variant<ObjectRef, Reply>;  // the object as stored, or the refusal as the API gives it

struct DeleteOptions {
  std::string uid, resource_version;  // preconditions; empty: none
};

// The caller of all members holds the runtime's lock.
class Store {
 public:
  Store(Runtime& runtime, Agenda& agenda);

  // Takes metadata, spec, status as given; sets uid, creationTimestamp, resourceVersion. 404 for a missing namespace,
  // 422, 409 AlreadyExists. A dry run stores nothing.
  StoreResult create(const ResourceType& type, const std::string& ns, Json object, bool dry_run = false);
  [[nodiscard]] ObjectRef get(const ResourceType& type, const std::string& ns, const std::string& name) const;
  // `change` gets a copy to alter; it may refuse by returning a reply. What changes nothing makes no new version.
  // `only_status`: the /status subresource; otherwise status is kept, for kinds that have the subresource.
  using Change = std::function<std::optional<Reply>(Json& object)>;
  enum class Scope { kMain, kStatus, kAll };
  StoreResult update(const ResourceType& type, const std::string& ns, const std::string& name, Scope scope,
                     const Change& change, bool dry_run = false);
  // The object as it was; one with finalizers only gets a deletionTimestamp.
  StoreResult remove(const ResourceType& type, const std::string& ns, const std::string& name,
                     const DeleteOptions& options = {});
  // `ns` empty: all namespaces. `token`: of an earlier page, which then fixes what is listed (410 when compacted
  // since). `as_of`: the version whose moment is listed, instead of the present (410 likewise).
  std::variant<ListPage, Reply> list(const ResourceType& type, const std::string& ns, const Selector& selector,
                                     std::size_t limit = 0, const std::string& token = "",
                                     std::optional<std::uint64_t> as_of = std::nullopt);

  // All at once, in the order of namespace and name.
  [[nodiscard]] std::vector<ObjectRef> all(const ResourceType& type, const std::string& ns = "",
                                           const Selector& selector = {}) const;

  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const WatchLog& log(const ResourceType& type) const { return table(type).log; }
  [[nodiscard]] Signal& changed(const ResourceType& type) { return table(type).changed; }
  // Forgets history: watches and continue tokens from before get 410.
  void compact();
  // Open watches look at this to know that they are to end with 410.
  void expire_watches();
  void wake_watches();

  // Any thread. The API server's clock: what Date headers, creationTimestamps and deletionTimestamps say. It may be off
  // that of all other machines, and be set at any time.
  [[nodiscard]] Wall wall() const { return runtime_.wall() + clock_step_.load(); }
  void step_clock(Millis by) { clock_step_ = clock_step_.load() + by; }

  // etcd is restored to what it held at that moment: objects and versions go back. Nobody is told; watches must be
  // ended beside. Throws std::out_of_range when history does not reach back so far.
  void restore(Mono when);
  [[nodiscard]] std::uint64_t expirations() const { return expirations_; }

  // Called after each change, with the lock held; must not block and must not change the store but through the agenda.
  using Observer = std::function<void(const WatchEvent& event)>;
  void observe(const std::string& group, const std::string& resource, Observer observer);

  Resources& resources() { return resources_; }
  void add_namespace(const std::string& name, const std::map<std::string, std::string>& labels = {});

 private:
  using Objects = std::map<ObjectKey, ObjectRef>;
  struct Table {
    Objects objects;
    WatchLog log;
    Signal changed;
    std::vector<Observer> observers;
  };

  Table& table(const ResourceType& type) const;
  ObjectRef commit(const ResourceType& type, EventType event, const ObjectRef& before, Json after);
  void erase(const ResourceType& type, const ObjectRef& object);
  void collect_children(const std::string& uid);
  void collect_orphan(const ResourceType& type, const ObjectKey& key);
  static void undo(Objects& objects, const WatchEvent& event);
  static Objects objects_at(const Table& kind, std::uint64_t version);
  void index_all();

  Runtime& runtime_;
  Agenda& agenda_;
  Resources resources_;
  std::atomic<Millis> clock_step_{Millis(0)};
  std::uint64_t version_ = 100;
  std::uint64_t expirations_ = 0;
  mutable std::map<std::string, Table> tables_;
  ListPages pages_;
  Owners owners_;
};

}  // namespace cluster
