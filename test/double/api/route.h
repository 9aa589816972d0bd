// A request's path taken apart.
#pragma once

#include <string>

#include "test/double/api/http.h"
#include "test/double/api/resources.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

// /apis/{group}/{version}/namespaces/{ns}/{resource}/{name}/{subresource}
struct Route {
  std::string group, version, ns, resource, name, subresource;
  std::string verb;  // get list watch create update patch delete; empty: discovery, health, or nothing we serve
  const ResourceType* type = nullptr;  // nullptr: no stored kind (subresources, reviews)
};

Route parse_route(const HttpRequest& request, const Resources& resources, Runtime& runtime);

}  // namespace cluster
