#include "sweeper/feed.h"

#include "base/log.h"

namespace snapfreeze::sweeper {

kube::Watcher::Options Feed::options(Kind kind, const std::string& own_namespace) {
  const Watch& watch = watch_of(kind);
  const std::string_view ns = watch.own_namespace ? std::string_view(own_namespace) : watch.namespace_;
  return {kube::collection_path(*watch.resource, ns), std::string(watch.label_selector), watch.always_lists};
}

void Feed::pass(Change::What what, const Json& object) {
  auto facts = facts_of(kind_, object, thaw_on_);
  if (!facts) {
    log::warning("session not understood", {{"error", facts.error().message}});
    return;
  }
  if (!std::holds_alternative<std::monostate>(*facts)) on_change_({kind_, what, std::move(*facts)});
}

void Feed::added(const Json& object) {
  pass(Change::What::kAdded, object);
}

void Feed::applied(const Json& object) {
  pass(Change::What::kApplied, object);
}

void Feed::deleted(const Json& object) {
  pass(Change::What::kDeleted, object);
}

void Feed::relist_started() {
  on_change_({kind_, Change::What::kRelistStarted, {}});
}

void Feed::relist_done() {
  on_change_({kind_, Change::What::kRelistDone, {}});
}

void Feed::not_served() {
  log::info("kind not served", {{"resource", watch_of(kind_).resource->plural}});
  on_change_({kind_, Change::What::kNotServed, {}});
}

void Feed::trouble(const Error& error) {
  log::warning("watch failing", {{"resource", watch_of(kind_).resource->plural}, {"error", error.message}});
}

void Feed::recovered() {
  log::info("watching again", {{"resource", watch_of(kind_).resource->plural}});
}

}  // namespace snapfreeze::sweeper
