// The verbs of the Kubernetes API as typed calls on the KubeApi seam.
//
// Errors of all of them, with the message of the server's Status and the HTTP status (0: no reply came, so the request
// may still be carried out): kConflict 409, kNotFound 404, kGone 410, kForbidden 401 and 403, kMalformed any other 4xx,
// kTransient 408, 429, 5xx, anything unexpected and no reply at all, kCancelled when we are stopping. A reply beyond
// our bounds of size (HttpsClient::kMaxReply, Json::kMaxValues) is kTransient, with `too_large`. In what is returned,
// Json::Prune::kUnread is null.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "kube/api.h"

namespace snapfreeze::kube {

inline constexpr Millis kCallTimeout{5000};

// What must still hold for an object when the server deletes it. An empty field demands nothing.
struct Preconditions {
  std::string uid;
  std::string resource_version;
};

Result<Json> get(KubeApi& api, std::string path, Millis timeout = kCallTimeout);

// Returns the object as the server stored it. kConflict: one of that name exists.
Result<Json> create(KubeApi& api, std::string collection, const Json& object, Millis timeout = kCallTimeout);

// PUT: replaces the whole object. With metadata.resourceVersion, kConflict when somebody else wrote since.
Result<Json> update(KubeApi& api, std::string path, const Json& object, Millis timeout = kCallTimeout);

// RFC 7386. With metadata.resourceVersion in the patch, kConflict when somebody else wrote since.
Result<Json> merge_patch(KubeApi& api, std::string path, const Json& patch, Millis timeout = kCallTimeout);

// RFC 6902. kMalformed when a "test" in it does not hold.
Result<Json> json_patch(KubeApi& api, std::string path, const Json& operations, Millis timeout = kCallTimeout);

// kConflict: the preconditions do not hold. Returns the deleted object or a Status, as the server chose.
Result<Json> remove(KubeApi& api, std::string path, const Preconditions& preconditions = {},
                    Millis timeout = kCallTimeout);

// PUT on a subresource that is an action, such as KubeVirt's freeze. A null body sends none. The body of a success is
// ignored: virt-api answers 200 or 202 without one. `send_by`: see Request.
Result<void> invoke(KubeApi& api, std::string path, const Json& body, Millis timeout, Mono send_by = Mono::max());

// For KubeApi::call_all: the request of a get, and the result in its reply.
[[nodiscard]] Request get_request(std::string path, Millis timeout = kCallTimeout);
Result<Json> object_of(const Result<Response>& reply);
// Likewise of an invoke.
[[nodiscard]] Request invoke_request(std::string path, const Json& body, Millis timeout, Mono send_by = Mono::max());
Result<void> success_of(const Result<Response>& reply);
// The objects of a list. A cluster that does not serve the kind (404) has none.
Result<std::vector<Json>> items_of(const Result<Response>& reply);

// The error that a reply with this status and body (a Status object, or any text) stands for.
[[nodiscard]] Error error_of(int http_status, std::string_view body);

}  // namespace snapfreeze::kube
