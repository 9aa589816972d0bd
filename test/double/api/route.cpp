#include "test/double/api/route.h"

#include <vector>

namespace cluster {
namespace {

std::vector<std::string> segments_of(const std::string& path) {
  std::vector<std::string> segments;
  std::size_t begin = 1;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

std::string verb_of(const HttpRequest& request, const Route& route) {
  if (request.method == "POST") return "create";
  if (request.method == "PUT") return "update";
  if (request.method == "PATCH") return "patch";
  if (request.method == "DELETE") return "delete";
  if (!route.name.empty()) return "get";
  const std::string watch = request.param("watch");
  return watch == "true" || watch == "1" ? "watch" : "list";
}

bool is_virtual(const Route& route) {
  return (route.group == "authorization.k8s.io" &&
          (route.resource == "subjectaccessreviews" || route.resource == "selfsubjectaccessreviews")) ||
         (route.group == "subresources.kubevirt.io" &&
          (route.subresource == "freeze" || route.subresource == "unfreeze" || route.subresource == "guestosinfo"));
}

}  // namespace

Route parse_route(const HttpRequest& request, const Resources& resources, Runtime& runtime) {
  const std::vector<std::string> segments = segments_of(request.path);
  Route route;
  std::size_t at = 0;
  if (segments.size() >= 3 && segments[0] == "api") {
    route.version = segments[1];
    at = 2;
  } else if (segments.size() >= 4 && segments[0] == "apis") {
    route.group = segments[1];
    route.version = segments[2];
    at = 3;
  } else {
    return {};
  }
  const std::size_t left = segments.size() - at;
  if (segments[at] == "namespaces" && left >= 3 && segments[at + 2] != "status") {
    route.ns = segments[at + 1];
    at += 2;
  }
  route.resource = segments[at];
  if (at + 1 < segments.size()) route.name = segments[at + 1];
  if (at + 2 < segments.size()) route.subresource = segments[at + 2];
  const Lock lock = runtime.lock();
  route.type = resources.find(route.group, route.version, route.resource);
  const bool no_status = route.subresource == "status" && route.type != nullptr && !route.type->has_status;
  if ((route.type == nullptr && !is_virtual(route)) || no_status) return {};
  route.verb = verb_of(request, route);
  return route;
}

}  // namespace cluster
