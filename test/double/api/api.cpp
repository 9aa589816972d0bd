#include "test/double/api/api.h"

#include "test/double/api/metadata.h"
#include "test/double/api/part.h"
#include "test/double/api/patch.h"
#include "test/double/api/review.h"
#include "test/double/api/route.h"
#include "test/double/api/status.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

Reply dropped() {
  Reply reply;
  reply.dropped = true;
  return reply;
}

std::string text_of_path(const HttpRequest& request) {
  std::string text = request.path;
  for (const auto& [name, value] : request.query) text += (text == request.path ? "?" : "&") + name + "=" + value;
  return text;
}

std::string reason_of(int status) {
  switch (status) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 409:
      return "Conflict";
    case 410:
      return "Expired";
    case 429:
      return "TooManyRequests";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "Timeout";
    default:
      return "InternalError";
  }
}

Reply refused_by_fault(const Fault& fault) {
  Reply reply = refuse(fault.status, reason_of(fault.status), "a fault on demand");
  if (fault.retry_after) reply.headers["Retry-After"] = std::to_string(*fault.retry_after);
  return reply;
}

bool dry_run(const HttpRequest& request) {
  return request.param("dryRun") == "All";
}

Reply reply_with(const StoreResult& result, int status) {
  if (const Reply* refusal = std::get_if<Reply>(&result)) return *refusal;
  return json_reply(status, std::get<ObjectRef>(result)->text);
}

// The body as an object, or why not.
std::optional<Reply> parse_object(const HttpRequest& request, Json& object) {
  object = Json::parse(request.body, nullptr, false);
  if (object.is_discarded()) return bad_request("the object provided is unrecognized: it is not JSON");
  if (!object.is_object()) return bad_request("the object provided is unrecognized: it is not a JSON object");
  if (object.contains("metadata") && !object["metadata"].is_object()) {
    return bad_request("json: cannot unmarshal into field metadata: not an object");
  }
  return std::nullopt;
}

std::optional<Reply> check_type(const Route& route, const Json& object) {
  const std::string version = object.value("apiVersion", "");
  if (version != route.type->api_version() || object.value("kind", "") != route.type->kind) {
    return bad_request("the API version in the data (" + version + ", Kind=" + object.value("kind", "") +
                       ") does not match the expected API version (" + route.type->api_version() +
                       ", Kind=" + route.type->kind + ")");
  }
  const std::string ns = part(object, "metadata").value("namespace", "");
  if (!ns.empty() && ns != route.ns) {
    return bad_request("the namespace of the provided object does not match the namespace sent on the request");
  }
  return std::nullopt;
}

Store::Scope scope_of(const Route& route) {
  return route.subresource == "status" ? Store::Scope::kStatus : Store::Scope::kMain;
}

}  // namespace

void Api::kill_caller(const HttpRequest& request) {
  Faults::Killer killer;
  {
    const Lock lock = runtime_.lock();
    killer = faults_.killer();
  }
  if (killer) killer(request.caller);
}

void Api::stop_caller(const HttpRequest& request, Millis lasts) {
  Faults::Stopper stopper;
  {
    const Lock lock = runtime_.lock();
    stopper = faults_.stopper();
  }
  if (stopper) stopper(request.caller, lasts);
}

Reply Api::handle(const HttpRequest& request) {
  const Route route = parse_route(request, store_.resources(), runtime_);
  const bool operation = route.subresource == "freeze" || route.subresource == "unfreeze";
  const std::string verb = operation ? route.subresource : route.verb.empty() ? "discover" : route.verb;
  std::vector<Fault> hits;
  {
    const Lock lock = runtime_.lock();
    hits = faults_.strike(request.caller, verb, text_of_path(request));
    if (runtime_.now() < faults_.down_until()) return dropped();
  }
  for (const Fault& fault : hits) {
    if (fault.kind == FaultKind::kDelayBefore) runtime_.sleep_for(fault.delay);
    if (fault.kind == FaultKind::kDropBefore) return dropped();
    if (fault.kind == FaultKind::kStatus) return refused_by_fault(fault);
    if (fault.kind == FaultKind::kKillBefore) {
      kill_caller(request);
      return dropped();
    }
    if (fault.kind == FaultKind::kHang) {
      runtime_.sleep_for(10min);
      return dropped();
    }
  }
  Reply reply;
  try {
    reply = carry_out(request, route);
  } catch (const Json::exception& error) {
    // Somebody has written into an object what no schema allows.
    reply = refuse(500, "InternalError", error.what());
  }
  {
    const Lock lock = runtime_.lock();
    reply.headers["Date"] = http_date(store_.wall());
  }
  for (const Fault& fault : hits) {
    if (fault.kind == FaultKind::kDelayAfter) runtime_.sleep_for(fault.delay);
    if (fault.kind == FaultKind::kDropAfter) return dropped();
    if (fault.kind == FaultKind::kStopAfter) stop_caller(request, fault.delay);
    if (fault.kind == FaultKind::kKillAfter) {
      kill_caller(request);
      return dropped();
    }
  }
  const Lock lock = runtime_.lock();
  if (runtime_.now() < faults_.down_until()) return dropped();
  return reply;
}

Reply Api::carry_out(const HttpRequest& request, const Route& route) {
  if (route.verb.empty()) {
    const Lock lock = runtime_.lock();
    if (request.path == "/healthz" || request.path == "/readyz" || request.path == "/livez")
      return json_reply(200, "ok");
    if (request.path == "/version") return json_reply(200, R"({"major":"1","minor":"36","gitVersion":"v1.36.0"})");
    return store_.resources().discover(request.path);
  }
  {
    const Lock lock = runtime_.lock();
    const std::string resource = route.resource + (route.subresource.empty() ? "" : "/" + route.subresource);
    if (!access_.allowed({request.caller, route.verb, route.group, resource, route.ns, route.name})) {
      return refuse(403, "Forbidden",
                    resource + "." + route.group + " \"" + route.name + "\" is forbidden: User \"" + request.caller +
                        "\" cannot " + route.verb + " resource \"" + resource + "\" in API group \"" + route.group +
                        "\" in the namespace \"" + route.ns + "\"");
    }
  }
  if (route.group == "authorization.k8s.io") return review_access(request);
  if (route.group == "subresources.kubevirt.io") return operate(request, route);
  if (route.verb == "get") return read(request, route);
  if (route.verb == "list") return list(request, route);
  if (route.verb == "watch") return watch(request, route);
  if (route.verb == "create") return create(request, route);
  if (route.verb == "update") return update(request, route);
  if (route.verb == "patch") return patch(request, route);
  if (route.verb == "delete") return remove(request, route);
  return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

Reply Api::operate(const HttpRequest& request, const Route& route) {
  if (route.verb == "get" && route.subresource == "guestosinfo") return guests_.os_info(route.ns, route.name);
  if (route.verb != "update" || route.resource != "virtualmachineinstances" || route.subresource == "guestosinfo") {
    return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }
  return guests_.subresource(request, route.ns, route.name, route.subresource);
}

Reply Api::create(const HttpRequest& request, const Route& route) {
  Json object;
  if (const auto refusal = parse_object(request, object)) return *refusal;
  if (const auto refusal = check_type(route, object)) return *refusal;
  if (!route.name.empty()) return refuse(405, "MethodNotAllowed", "POST names a collection");
  Json& metadata = object["metadata"];
  if (metadata.is_null()) metadata = Json::object();
  if (!metadata.value("resourceVersion", "").empty()) {
    return bad_request("resourceVersion should not be set on objects to be created");
  }
  if (route.type->has_status) object.erase("status");
  if (route.type->namespaced) metadata["namespace"] = route.ns;
  if (route.resource == "volumesnapshots") {
    metadata.erase("uid");
    metadata.erase("creationTimestamp");
    add_managed_fields(object, request.user_agent, rfc3339(store_.wall()));
    if (const auto refusal = admission_.admit(request, object, dry_run(request))) return *refusal;
  }
  const Lock lock = runtime_.lock();
  return reply_with(store_.create(*route.type, route.ns, std::move(object), dry_run(request)), 201);
}

Reply Api::read(const HttpRequest&, const Route& route) {
  const Lock lock = runtime_.lock();
  const ObjectRef object = store_.get(*route.type, route.ns, route.name);
  return object == nullptr ? not_found(*route.type, route.name) : json_reply(200, object->text);
}

Reply Api::update(const HttpRequest& request, const Route& route) {
  Json object;
  if (const auto refusal = parse_object(request, object)) return *refusal;
  if (const auto refusal = check_type(route, object)) return *refusal;
  const Json& metadata = part(object, "metadata");
  if (metadata.value("name", "") != route.name) {
    return bad_request("the name of the object (" + metadata.value("name", "") +
                       ") does not match the name on the URL (" + route.name + ")");
  }
  const std::string version = metadata.value("resourceVersion", "");
  if (version.empty()) {
    return invalid(*route.type, route.name,
                   {"metadata.resourceVersion: Invalid value: 0x0: must be specified for an update"});
  }
  const Lock lock = runtime_.lock();
  const auto change = [&](Json& current) -> std::optional<Reply> {
    const std::string uid = metadata.value("uid", "");
    if (current["metadata"]["resourceVersion"] != version || (!uid.empty() && current["metadata"]["uid"] != uid)) {
      return conflict(*route.type, route.name);
    }
    current = object;
    return std::nullopt;
  };
  return reply_with(store_.update(*route.type, route.ns, route.name, scope_of(route), change, dry_run(request)), 200);
}

Reply Api::patch(const HttpRequest& request, const Route& route) {
  const Lock lock = runtime_.lock();
  const auto change = [&](Json& current) { return apply_patch(request, *route.type, current); };
  return reply_with(store_.update(*route.type, route.ns, route.name, scope_of(route), change, dry_run(request)), 200);
}

Reply Api::remove(const HttpRequest& request, const Route& route) {
  if (route.name.empty()) {
    return refuse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }
  DeleteOptions options;
  if (!request.body.empty()) {
    Json body;
    if (const auto refusal = parse_object(request, body)) return *refusal;
    const Json& preconditions = part(body, "preconditions");
    options.uid = preconditions.value("uid", "");
    options.resource_version = preconditions.value("resourceVersion", "");
  }
  if (dry_run(request)) return read(request, route);
  const Lock lock = runtime_.lock();
  const StoreResult result = store_.remove(*route.type, route.ns, route.name, options);
  if (const Reply* refusal = std::get_if<Reply>(&result)) return *refusal;
  const Json done = {{"kind", "Status"},
                     {"apiVersion", "v1"},
                     {"metadata", Json::object()},
                     {"status", "Success"},
                     {"details",
                      {{"name", route.name},
                       {"group", route.group},
                       {"kind", route.resource},
                       {"uid", std::get<ObjectRef>(result)->json["metadata"]["uid"]}}}};
  return json_reply(200, done.dump());
}

Reply Api::review_access(const HttpRequest& request) {
  Json review;
  if (const auto refusal = parse_object(request, review)) return *refusal;
  Json spec = part(review, "spec");
  if (review.value("kind", "") == "SelfSubjectAccessReview") spec["user"] = request.caller;
  const Json what = spec.value("resourceAttributes", Json());
  if (!what.is_object() || spec.value("user", "").empty()) {
    return refuse(422, "Invalid", "SubjectAccessReview is invalid: spec: user and resourceAttributes are required");
  }
  const std::string subresource = what.value("subresource", "");
  const Lock lock = runtime_.lock();
  const bool allowed = access_.allowed({spec.value("user", ""), what.value("verb", ""), what.value("group", ""),
                                        what.value("resource", "") + (subresource.empty() ? "" : "/" + subresource),
                                        what.value("namespace", ""), what.value("name", "")});
  review["status"] = {{"allowed", allowed}};
  return json_reply(201, review.dump());
}

}  // namespace cluster
