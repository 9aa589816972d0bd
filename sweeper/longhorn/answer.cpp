#include "sweeper/longhorn/answer.h"

#include "base/json.h"
#include "base/time.h"

namespace snapfreeze::sweeper {
namespace {

constexpr int kOk = 200;
constexpr int kServerError = 500;

bool is_false(const Json& value) {
  return value.kind() == Json::Kind::kBool && !value.boolean();
}

}  // namespace

std::string longhorn_name(std::string_view snapshot_uid) {
  return "snapshot-" + std::string(snapshot_uid);
}

LiveAnswer read_answer(const HttpAnswer& answer, std::string_view snapshot_uid) {
  if (answer.body.size() > kLongestAnswer) return {};
  const auto body = Json::parse(answer.body);
  if (!body || !body->is_object()) return {};
  const Json& said = *body;
  if (answer.status == kServerError && said["type"].string() == "error") return {LiveAnswer::Says::kNotYet, {}};
  if (answer.status != kOk || snapshot_uid.empty() || said["name"].string() != longhorn_name(snapshot_uid)) return {};
  // A snapshot of the system's own, which is made for a rebuild, is none of ours; one that is removed holds nothing.
  if (!said["usercreated"].boolean() || !is_false(said["removed"])) return {};
  const auto created = parse_time(said["created"].string());
  if (!created) return {};
  return {LiveAnswer::Says::kCut, std::chrono::floor<std::chrono::seconds>(*created)};
}

}  // namespace snapfreeze::sweeper
