#include "kube/rest.h"

#include <string_view>
#include <utility>

namespace snapfreeze::kube {
namespace {

// An HTML page from a proxy is useless in a log line.
constexpr std::size_t kMaxMessage = 512;

Code code_of(int http_status) {
  switch (http_status) {
    case 401:
    case 403:
      return Code::kForbidden;
    case 404:
      return Code::kNotFound;
    case 408:
    case 429:
      return Code::kTransient;
    case 409:
      return Code::kConflict;
    case 410:
      return Code::kGone;
    default:
      return http_status >= 400 && http_status < 500 ? Code::kMalformed : Code::kTransient;
  }
}

std::string message_of(int http_status, std::string_view body) {
  const Result<Json> status = Json::parse(body, Json::Prune::kUnread);
  std::string message;
  if (status.ok()) message = (*status)["message"].string();
  if (message.empty()) message = std::string(body.substr(0, kMaxMessage));
  const std::string prefix = "HTTP " + std::to_string(http_status);
  return message.empty() ? prefix : prefix + ": " + message;
}

Result<Json> send(KubeApi& api, Method method, std::string target, std::string body, std::string content_type,
                  Millis timeout) {
  return object_of(api.call({method, std::move(target), std::move(body), std::move(content_type), timeout}));
}

}  // namespace

Error error_of(int http_status, std::string_view body) {
  return {code_of(http_status), message_of(http_status, body), http_status};
}

Result<Json> object_of(const Result<Response>& reply) {
  if (!reply.ok()) return reply.error();
  const Response& response = reply.value();
  if (response.status < 200 || response.status > 299) return error_of(response.status, response.body);
  Result<Json> object = Json::parse(response.body, Json::Prune::kUnread);
  if (!object.ok()) {
    // It was carried out, but the reply is garbled, so we do not know the result. Reading again shows it.
    return Error{.code = Code::kTransient,
                 .message = "the reply is not an object: " + object.error().message,
                 .http_status = response.status,
                 .too_large = object.error().too_large};
  }
  return object;
}

Request get_request(std::string path, Millis timeout) {
  return {Method::kGet, std::move(path), "", "", timeout};
}

Result<std::vector<Json>> items_of(const Result<Response>& reply) {
  auto list = object_of(reply);
  if (list) return (*list)["items"].items();
  if (list.error().code == Code::kNotFound) return std::vector<Json>{};
  return list.error();
}

Result<Json> get(KubeApi& api, std::string path, Millis timeout) {
  return object_of(api.call(get_request(std::move(path), timeout)));
}

Result<Json> create(KubeApi& api, std::string collection, const Json& object, Millis timeout) {
  return send(api, Method::kPost, std::move(collection), object.dump(), "application/json", timeout);
}

Result<Json> update(KubeApi& api, std::string path, const Json& object, Millis timeout) {
  return send(api, Method::kPut, std::move(path), object.dump(), "application/json", timeout);
}

Result<Json> merge_patch(KubeApi& api, std::string path, const Json& patch, Millis timeout) {
  return send(api, Method::kPatch, std::move(path), patch.dump(), "application/merge-patch+json", timeout);
}

Result<Json> json_patch(KubeApi& api, std::string path, const Json& operations, Millis timeout) {
  return send(api, Method::kPatch, std::move(path), operations.dump(), "application/json-patch+json", timeout);
}

Result<Json> remove(KubeApi& api, std::string path, const Preconditions& preconditions, Millis timeout) {
  Json asked = Json::object();
  if (!preconditions.uid.empty()) asked.set("uid", preconditions.uid);
  if (!preconditions.resource_version.empty()) asked.set("resourceVersion", preconditions.resource_version);
  if (asked.members().empty()) return send(api, Method::kDelete, std::move(path), "", "", timeout);
  const Json options = Json::object({{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"preconditions", asked}});
  return send(api, Method::kDelete, std::move(path), options.dump(), "application/json", timeout);
}

Result<void> invoke(KubeApi& api, std::string path, const Json& body, Millis timeout, Mono send_by) {
  return success_of(api.call(invoke_request(std::move(path), body, timeout, send_by)));
}

Request invoke_request(std::string path, const Json& body, Millis timeout, Mono send_by) {
  Request request{Method::kPut, std::move(path), "", "", timeout, send_by};
  if (!body.is_null()) {
    request.body = body.dump();
    request.content_type = "application/json";
  }
  return request;
}

Result<void> success_of(const Result<Response>& reply) {
  if (!reply.ok()) return reply.error();
  if (reply->status < 200 || reply->status > 299) return error_of(reply->status, reply->body);
  return {};
}

}  // namespace snapfreeze::kube
