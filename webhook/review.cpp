#include "webhook/review.h"

#include "base/base64.h"
#include "kube/paths.h"

namespace snapfreeze::webhook {
namespace {

constexpr char kApiVersion[] = "admission.k8s.io/v1";
constexpr char kKind[] = "AdmissionReview";

Error malformed(std::string message) {
  return {Code::kMalformed, std::move(message)};
}

std::string off_topic(const Json& request) {
  const std::string& group = request["kind"]["group"].string();
  const std::string& kind = request["kind"]["kind"].string();
  const std::string& operation = request["operation"].string();
  const std::string& subresource = request["subResource"].string();
  if (group == kube::kVolumeSnapshots.group && kind == kube::kVolumeSnapshots.kind && operation == "CREATE" &&
      subresource.empty()) {
    return "";
  }
  return operation + " of " + kind + (subresource.empty() ? "" : "/" + subresource) + " in group \"" + group +
         "\" was sent to snapfreeze, which is for CREATE of VolumeSnapshots in \"snapshot.storage.k8s.io\": check the "
         "rules of its MutatingWebhookConfiguration";
}

}  // namespace

Result<Review> decode_review(std::string_view body) {
  const auto json = Json::parse(body);
  if (!json) return malformed("body: must be an AdmissionReview in JSON: " + json.error().message);
  if ((*json)["kind"].string() != kKind) return malformed("kind: must be \"AdmissionReview\"");
  if ((*json)["apiVersion"].string() != kApiVersion) return malformed("apiVersion: must be \"admission.k8s.io/v1\"");
  const Json& request = (*json)["request"];
  if (!request.is_object()) return malformed("request: must be an object");

  Review review;
  review.uid = request["uid"].string();
  if (review.uid.empty()) return malformed("request.uid: must be a string that is not empty");
  review.off_topic = off_topic(request);
  if (!review.off_topic.empty()) return review;

  review.object = request["object"];
  if (!review.object.is_object()) return malformed("request.object: must be a VolumeSnapshot");
  review.snapshot = kube::SnapshotView::from(review.object);
  review.namespace_ = request["namespace"].string();
  if (review.namespace_.empty()) return malformed("request.namespace: must be the namespace of the VolumeSnapshot");
  review.name = request["name"].string();
  if (review.name.empty()) review.name = review.snapshot.metadata.name;
  review.dry_run = request["dryRun"].boolean();
  const Json& user = request["userInfo"];
  review.user = {user["username"].string(), user["uid"].string(), user["groups"], user["extra"]};
  return review;
}

std::string encode_answer(std::string_view uid, const Json& patch, const std::vector<std::string>& warnings) {
  Json response = Json::object({{"uid", uid}, {"allowed", true}});
  if (!patch.items().empty()) {
    response.set("patchType", "JSONPatch");
    response.set("patch", base64_encode(patch.dump()));
  }
  if (!warnings.empty()) {
    Json list = Json::array();
    for (const std::string& warning : warnings) list.push(warning);
    response.set("warnings", std::move(list));
  }
  return Json::object({{"apiVersion", kApiVersion}, {"kind", kKind}, {"response", std::move(response)}}).dump();
}

}  // namespace snapfreeze::webhook
