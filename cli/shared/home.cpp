#include "cli/shared/home.h"

#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::cli {
namespace {

constexpr int kUnauthorized = 401;

std::string service_namespace(const Json& registration) {
  for (const Json& webhook : registration["webhooks"].items()) {
    const std::string& found = webhook["clientConfig"]["service"]["namespace"].string();
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace

Result<Home> find_home(kube::KubeApi& api, const std::string& told) {
  if (!told.empty()) return Home{told, Home::Known::kTold};
  const auto object = kube::get(api, kube::object_path(kube::kMutatingWebhookConfigurations, "", kRegistrationName));
  if (object) {
    const std::string found = service_namespace(*object);
    if (!found.empty()) return Home{found, Home::Known::kRegistered};
    return Home{kUsualNamespace, Home::Known::kAbsent};
  }
  const Error& error = object.error();
  if (error.code == Code::kNotFound) return Home{kUsualNamespace, Home::Known::kAbsent};
  if (error.code != Code::kForbidden || error.http_status == kUnauthorized) return error;
  return Home{kUsualNamespace, Home::Known::kUnreadable};
}

}  // namespace snapfreeze::cli
