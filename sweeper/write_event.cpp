#include "sweeper/write_event.h"

#include "base/log.h"
#include "base/time.h"
#include "kube/rest.h"

namespace snapfreeze::sweeper {
namespace {

// Of an Event's source and reportingComponent.
constexpr char kReporter[] = "snapfreeze.harvesterhci.io/sweeper";
// What the API server accepts of reportingInstance and message.
constexpr std::size_t kMaxInstance = 128;
constexpr std::size_t kMaxMessage = 1024;

// A culprit's own words may be of any length.
std::string cut(std::string text) {
  constexpr char kMore[] = "...";
  if (text.size() <= kMaxMessage) return text;
  std::size_t end = kMaxMessage - (sizeof(kMore) - 1);
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
  while (end > 0 && continues(end)) --end;
  text.resize(end);
  return text + kMore;
}

Json reference_to(const Target& about) {
  Json reference = Json::object({{"apiVersion", kube::api_version(*about.resource)},
                                 {"kind", about.resource->kind},
                                 {"namespace", about.namespace_},
                                 {"name", about.name}});
  if (!about.uid.empty()) reference.set("uid", about.uid);
  return reference;
}

}  // namespace

Written write_event(const Seams& seams, const std::string& identity, const Target& about, const EventText& text) {
  const Wall now = seams.clock.wall();
  const Json event = Json::object({
      {"apiVersion", kube::api_version(kube::kEvents)},
      {"kind", kube::kEvents.kind},
      {"metadata", Json::object({{"name", "snapfreeze." + text.id}, {"namespace", about.namespace_}})},
      {"involvedObject", reference_to(about)},
      {"type", text.words.warning ? "Warning" : "Normal"},
      {"reason", text.words.reason},
      {"message", cut(text.words.note)},
      {"eventTime", format_micro_time(now)},
      {"firstTimestamp", format_time(now)},
      {"lastTimestamp", format_time(now)},
      {"count", 1},
      {"action", "Thaw"},
      {"source", Json::object({{"component", kReporter}})},
      {"reportingComponent", kReporter},
      {"reportingInstance", identity.substr(0, kMaxInstance)},
  });
  const auto reply = kube::create(seams.api, kube::collection_path(kube::kEvents, about.namespace_), event);
  if (reply || reply.error().code == Code::kConflict) return Written::kYes;
  log::warning("event not written",
               {{"namespace", about.namespace_}, {"name", about.name}, {"error", reply.error().message}});
  switch (reply.error().code) {
    case Code::kNotFound:  // the namespace is gone
      return Written::kGone;
    case Code::kForbidden:
    case Code::kMalformed:
      return Written::kRefused;
    default:
      return Written::kFailed;
  }
}

Written write_vm_event(const Seams& seams, const std::string& identity, const std::string& ns, const std::string& vm,
                       const EventText& text) {
  if (!kube::is_object_name(vm)) return Written::kGone;
  Target about{&kube::kVirtualMachines, ns, vm, ""};
  const auto object = kube::get(seams.api, kube::object_path(*about.resource, ns, vm));
  if (object) {
    about.uid = (*object)["metadata"]["uid"].string();
  } else if (object.error().code == Code::kNotFound) {
    return Written::kGone;
  }  // otherwise it is said without the uid, by which Harvester's UI does not ask
  return write_event(seams, identity, about, text);
}

}  // namespace snapfreeze::sweeper
