#include "test/double/storage/longhorn_backend.h"

#include <array>
#include <stdexcept>

#include "test/double/api/fields.h"
#include "test/double/api/metadata.h"
#include "test/double/truth.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kVolumes = "/v1/volumes/";
constexpr std::size_t kHugeSize = 8 * 1024 * 1024;

Reply reply_of(int status, const Json& body) {
  Reply reply;
  reply.status = status;
  reply.body = body.dump();
  reply.headers["Content-Type"] = "application/json";
  return reply;
}

Reply error(int status, const std::string& code, const std::string& message) {
  return reply_of(status,
                  {{"type", "error"}, {"status", status}, {"code", code}, {"message", message}, {"detail", ""}});
}

Reply server_error(const std::string& message) {
  return error(500, "Server Error", message);
}

std::string volume_of(const HttpRequest& request) {
  return request.path.rfind(kVolumes, 0) == 0 ? request.path.substr(kVolumes.size()) : "";
}

// In its place stands what would be believed.
constexpr std::string_view kSomeDay = "2026-11-29T02:30:00Z";

// What is no snapshot, though some of it begins like one.
std::string garbage(std::size_t turn) {
  static const std::array<std::string, 10> kKinds = {
      "",
      "null",
      "[]",
      "{}",
      R"({"id":"snapshot-)",
      "<html><body>502 Bad Gateway</body></html>",
      std::string(100'000, '['),
      R"({"type":"snapshot","name":7,"created":{},"usercreated":"yes","removed":null})",
      "{\"name\":\"\xff\xfe\",\"created\":\"2026-11-29T02:30:00Z\",\"usercreated\":true,\"removed\":false}",
      R"({"id":"another","type":"snapshot","name":"another","created":"2026-11-29T02:30:00Z","usercreated":true,)"
      R"("removed":false,"parent":"","children":{"volume-head":true},"size":"0","labels":{},"checksum":""})",
  };
  return kKinds[turn % kKinds.size()];
}

}  // namespace

LiveOptions live_options_from_json(const Json& json) {
  LiveOptions options;
  Fields()
      .field("delay", options.delay)
      .field("lies", options.lies)
      .field("removed", options.removed)
      .field("by_system", options.by_system)
      .field("vanishes", options.vanishes)
      .field("others", options.others)
      .read(json, "live.");
  return options;
}

BackendMood backend_mood(const std::string& word) {
  static const std::map<std::string, BackendMood> kWords = {
      {"answers", BackendMood::kAnswers},   {"gone", BackendMood::kGone},       {"hangs", BackendMood::kHangs},
      {"dribbles", BackendMood::kDribbles}, {"refuses", BackendMood::kRefuses}, {"errors", BackendMood::kErrors},
      {"garbage", BackendMood::kGarbage},   {"huge", BackendMood::kHuge},       {"cut-short", BackendMood::kCutShort},
  };
  const auto found = kWords.find(word);
  if (found == kWords.end()) throw std::invalid_argument("longhorn: cannot be '" + word + "'");
  return found->second;
}

void LonghornBackend::add_volume(const std::string& volume, const LiveOptions& options) {
  volumes_[volume].options = options;
}

void LonghornBackend::add_snapshot(const std::string& volume, const std::string& name, const std::string& created) {
  volumes_[volume].snapshots.try_emplace(name, Snapshot{created, runtime_.now()});
}

void LonghornBackend::remove_snapshot(const std::string& volume, const std::string& name) {
  const auto found = volumes_.find(volume);
  if (found != volumes_.end()) found->second.snapshots.erase(name);
}

void LonghornBackend::set_mood(BackendMood mood, Mono until) {
  mood_ = mood;
  mood_until_ = until;
}

BackendMood LonghornBackend::mood() const {
  return runtime_.now() < mood_until_ ? mood_ : BackendMood::kAnswers;
}

bool LonghornBackend::is_shown(const Volume& volume, const Snapshot& snapshot) const {
  return volume.options.vanishes == 0ms || runtime_.now() < snapshot.since + volume.options.vanishes;
}

Json LonghornBackend::object(const Volume& volume, const std::string& name, const Snapshot& snapshot) const {
  return {{"id", name},
          {"type", "snapshot"},
          {"links", {{"self", "http://longhorn-backend:9500/v1/snapshots/" + name}}},
          {"actions", Json::object()},
          {"name", name},
          {"created", snapshot.created},
          {"usercreated", !volume.options.by_system},
          {"removed", volume.options.removed},
          {"parent", ""},
          {"children", {{"volume-head", true}}},
          {"size", "0"},
          {"labels", {{"type", "snap"}}},
          {"checksum", ""}};
}

Reply LonghornBackend::get(const std::string& name, const Volume& volume, const std::string& body) const {
  const Json input = Json::parse(body, nullptr, false);
  const std::string wanted =
      input.is_object() && input.contains("name") && input["name"].is_string() ? input["name"].get<std::string>() : "";
  if (wanted.empty()) return server_error("failed to get snapshot: empty snapshot name not allowed");
  const auto found = volume.snapshots.find(wanted);
  if (found == volume.snapshots.end() || !is_shown(volume, found->second)) {
    return server_error("failed to get snapshot: cannot find snapshot '" + wanted + "' for volume '" + name + "'");
  }
  return reply_of(200, object(volume, wanted, found->second));
}

// All of the volume, its head and those of long ago among them.
Reply LonghornBackend::list(const Volume& volume) const {
  Json all = Json::array();
  all.push_back({{"id", "volume-head"},
                 {"type", "snapshot"},
                 {"name", "volume-head"},
                 {"created", "2026-01-01T00:00:00Z"},
                 {"usercreated", false},
                 {"removed", false}});
  for (int i = 0; i < volume.options.others; ++i) {
    all.push_back(object(volume, "snapshot-of-long-ago-" + std::to_string(i), {"2026-01-01T00:00:00Z", {}}));
  }
  for (const auto& [name, snapshot] : volume.snapshots) {
    if (is_shown(volume, snapshot)) all.push_back(object(volume, name, snapshot));
  }
  return reply_of(200, {{"type", "collection"}, {"resourceType", "snapshot"}, {"data", all}});
}

Reply LonghornBackend::engine_says(const HttpRequest& request) const {
  const std::string name = volume_of(request);
  const std::string action = request.param("action");
  const auto volume = volumes_.find(name);
  if (request.method != "POST" || name.empty() || (action != "snapshotGet" && action != "snapshotList")) {
    return error(404, "Not Found", "Not Found");
  }
  if (volume == volumes_.end()) return server_error("failed to get volume '" + name + "': it does not exist");
  return action == "snapshotGet" ? get(name, volume->second, request.body) : list(volume->second);
}

BackendReply LonghornBackend::in_that_mood(BackendMood mood, const HttpRequest& request) {
  using Pace = BackendReply::Pace;
  switch (mood) {
    case BackendMood::kAnswers:
      return {Pace::kAtOnce, engine_says(request)};
    case BackendMood::kGone:
      return {Pace::kCloses, {}};
    case BackendMood::kHangs:
      return {Pace::kHangs, {}};
    case BackendMood::kDribbles:
      return {Pace::kDribbles, engine_says(request)};
    case BackendMood::kCutShort:
      return {Pace::kCutShort, engine_says(request)};
    case BackendMood::kRefuses:
      return {Pace::kAtOnce, error(503, "Service Unavailable", "no manager is ready")};
    case BackendMood::kErrors:
      return {Pace::kAtOnce, server_error("failed to get snapshot: engine is not running")};
    case BackendMood::kGarbage: {
      Reply reply;
      reply.body = garbage(garbage_++);
      const std::size_t created = reply.body.find(kSomeDay);
      if (created != std::string::npos) reply.body.replace(created, kSomeDay.size(), rfc3339(runtime_.wall()));
      reply.headers["Content-Type"] = "application/json";
      return {Pace::kAtOnce, reply};
    }
    case BackendMood::kHuge: {
      const Json input = Json::parse(request.body, nullptr, false);
      const std::string name = input.is_object() ? input.value("name", "") : "";
      Json snapshot = object({}, name, {rfc3339(runtime_.wall()), {}});
      snapshot["labels"]["note"] = std::string(kHugeSize, 'x');
      return {Pace::kAtOnce, reply_of(200, snapshot)};
    }
  }
  return {};
}

void LonghornBackend::note_call(const HttpRequest& request) {
  const Lock lock = runtime_.lock();
  truth_.note("longhorn", volume_of(request), request.param("action"));
}

BackendReply LonghornBackend::answer(const HttpRequest& request) {
  Millis delay{0};
  {
    const Lock lock = runtime_.lock();
    const auto volume = volumes_.find(volume_of(request));
    if (volume != volumes_.end()) delay = volume->second.options.delay;
  }
  // Half of it to the engine and half back: it says what it has in the middle.
  runtime_.sleep_for(delay / 2);
  BackendReply said;
  {
    const Lock lock = runtime_.lock();
    said = in_that_mood(mood(), request);
  }
  if (said.pace != BackendReply::Pace::kCloses) runtime_.sleep_for(delay - delay / 2);
  return said;
}

}  // namespace cluster
