#include "test/double/api/status.h"

namespace cluster {

Json status_object(int code, const std::string& reason, const std::string& message) {
  return {{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", Json::object()},
          {"status", "Failure"}, {"message", message}, {"reason", reason},
          {"code", code}};
}

Reply json_reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.headers["Content-Type"] = "application/json";
  return reply;
}

Reply refuse(int code, const std::string& reason, const std::string& message) {
  return json_reply(code, status_object(code, reason, message).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Reply not_found(const ResourceType& type, const std::string& name) {
  return refuse(404, "NotFound", type.group_resource() + " \"" + name + "\" not found");
}

Reply already_exists(const ResourceType& type, const std::string& name) {
  return refuse(409, "AlreadyExists", type.group_resource() + " \"" + name + "\" already exists");
}

Reply conflict(const ResourceType& type, const std::string& name, const std::string& why) {
  const std::string modified =
      "the object has been modified; please apply your changes to the latest version and try again";
  return refuse(409, "Conflict",
                "Operation cannot be fulfilled on " + type.group_resource() + " \"" + name +
                    "\": " + (why.empty() ? modified : why));
}

Reply invalid(const ResourceType& type, const std::string& name, const std::vector<std::string>& problems) {
  std::string message = type.kind + (type.group.empty() ? "" : "." + type.group) + " \"" + name + "\" is invalid: ";
  for (std::size_t i = 0; i < problems.size(); ++i) message += (i == 0 ? "" : ", ") + problems[i];
  return refuse(422, "Invalid", message);
}

Reply bad_request(const std::string& message) {
  return refuse(400, "BadRequest", message);
}
Reply expired(const std::string& message) {
  return refuse(410, "Expired", message);
}
Reply internal_error(const std::string& message) {
  return refuse(500, "InternalError", "Internal error occurred: " + message);
}

}  // namespace cluster
