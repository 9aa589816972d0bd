#include "sweeper/write_event.h"

#include "base/log.h"
#include "base/time.h"
#include "kube/rest.h"

namespace snapfreeze::sweeper {
namespace {

constexpr char kReporter[] = "snapfreeze.harvesterhci.io/sweeper";
constexpr std::size_t kMaxInstance = 128;  // of an Event's reportingInstance

}  // namespace

Written write_event(const Seams& seams, const std::string& identity, const Target& about, const EventText& text) {
  const kube::Resource& kind = *about.resource;
  const Json event = Json::object({
      {"apiVersion", kube::api_version(kube::kEvents)},
      {"kind", kube::kEvents.kind},
      {"metadata", Json::object({{"name", "snapfreeze." + text.id}, {"namespace", about.namespace_}})},
      {"eventTime", format_micro_time(seams.clock.wall())},
      {"reportingController", kReporter},
      {"reportingInstance", identity.substr(0, kMaxInstance)},
      {"action", "Thaw"},
      {"reason", text.words.reason},
      {"regarding", Json::object({{"apiVersion", kube::api_version(kind)},
                                  {"kind", kind.kind},
                                  {"namespace", about.namespace_},
                                  {"name", about.name},
                                  {"uid", about.uid}})},
      {"note", text.words.note},
      {"type", text.words.warning ? "Warning" : "Normal"},
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

}  // namespace snapfreeze::sweeper
