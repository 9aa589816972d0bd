#include "test/double/api/patch.h"

#include "test/double/api/part.h"
#include "test/double/api/status.h"

namespace cluster {
namespace {

std::optional<Reply> apply_merge_patch(const ResourceType& type, const Json& patch, Json& object) {
  if (!patch.is_object()) return bad_request("a merge patch must be a JSON object");
  const Json& metadata = part(patch, "metadata");
  for (const char* field : {"resourceVersion", "uid"}) {
    const auto wanted = metadata.find(field);
    if (wanted == metadata.end() || wanted->is_null() || *wanted == object["metadata"][field]) continue;
    return conflict(type, object["metadata"]["name"],
                    std::string(field) == "uid" ? "Precondition failed: UID in precondition: " + wanted->dump() : "");
  }
  object.merge_patch(patch);
  return std::nullopt;
}

std::optional<Reply> apply_json_patch(const ResourceType& type, const Json& patch, Json& object) {
  const Json before = object;
  try {
    object = object.patch(patch);
  } catch (const Json::exception& error) {
    return refuse(422, "Invalid",
                  std::string("the server rejected our request due to an error in our request: ") + error.what());
  }
  if (!object.is_object() || !object.contains("metadata") || !object["metadata"].is_object()) {
    return refuse(422, "Invalid", "the patched object has no metadata");
  }
  if (object["metadata"].value("resourceVersion", Json()) != before["metadata"]["resourceVersion"]) {
    return conflict(type, before["metadata"]["name"]);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Reply> apply_patch(const HttpRequest& request, const ResourceType& type, Json& object) {
  const auto header = request.headers.find("content-type");
  const std::string content_type = header == request.headers.end() ? "" : header->second;
  const Json patch = Json::parse(request.body, nullptr, false);
  if (patch.is_discarded()) return bad_request("the patch is not JSON");
  if (content_type == "application/merge-patch+json") return apply_merge_patch(type, patch, object);
  if (content_type == "application/json-patch+json") return apply_json_patch(type, patch, object);
  return refuse(415, "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json");
}

}  // namespace cluster
