#include "sweeper/write_verdict.h"

#include "base/log.h"
#include "base/time.h"
#include "freeze/names.h"
#include "kube/rest.h"

namespace snapfreeze::sweeper {
namespace {

constexpr int kUnprocessable = 422;

Json patch_of(const VerdictFor& item) {
  Json notes = Json::object();
  for (const auto& [key, value] : freeze::notes_of(item.verdict)) notes.set(key, value.empty() ? Json() : Json(value));
  const Json labels = notes;
  notes.set(freeze::kVerdictOf, item.target.uid);
  if (item.frozen_for) notes.set(freeze::kFrozenFor, format_duration(*item.frozen_for));
  Json meta = Json::object({{"uid", item.target.uid}, {"annotations", std::move(notes)}, {"labels", labels}});
  return Json::object({{"metadata", std::move(meta)}});
}

std::string path_of(const Target& target) {
  return kube::object_path(*target.resource, target.namespace_, target.name);
}

// The API server refuses a patch with another uid than the object's as a conflict or as invalid. The object is read as
// a list of one, since the sweeper may list every kind that it writes verdicts on, but not get all of them.
Written look_again(const Seams& seams, const Target& target) {
  const std::string collection = kube::collection_path(*target.resource, target.namespace_);
  const auto list =
      kube::get(seams.api, collection + "?fieldSelector=metadata.name%3D" + kube::percent_encode(target.name));
  if (!list) return list.error().code == Code::kNotFound ? Written::kGone : Written::kFailed;
  const auto& items = (*list)["items"].items();
  const bool there = !items.empty() && items.front()["metadata"]["uid"].string() == target.uid;
  return there ? Written::kFailed : Written::kGone;
}

Written outcome_of(const Seams& seams, const Target& target, const Result<Json>& reply) {
  if (reply) return Written::kYes;
  const Error& error = reply.error();
  if (error.code == Code::kNotFound) return Written::kGone;
  Written outcome = error.code == Code::kForbidden || error.code == Code::kMalformed ? Written::kRefused  //
                                                                                     : Written::kFailed;
  if (error.code == Code::kConflict || error.http_status == kUnprocessable) {
    const Written now = look_again(seams, target);
    if (now == Written::kGone) return now;
  }
  log::warning("verdict not written", {{"resource", target.resource->plural},
                                       {"namespace", target.namespace_},
                                       {"name", target.name},
                                       {"error", error.message}});
  return outcome;
}

}  // namespace

std::vector<Written> write_verdicts(const Seams& seams, std::span<const VerdictFor> verdicts) {
  if (verdicts.empty()) return {};
  std::vector<kube::Request> requests;
  requests.reserve(verdicts.size());
  for (const VerdictFor& item : verdicts) {
    requests.push_back({kube::Method::kPatch, path_of(item.target), patch_of(item).dump(),
                        "application/merge-patch+json", kube::kCallTimeout});
  }
  const auto replies = seams.api.call_all(requests);
  std::vector<Written> outcomes;
  outcomes.reserve(replies.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    outcomes.push_back(outcome_of(seams, verdicts[i].target, kube::object_of(replies[i])));
  }
  return outcomes;
}

}  // namespace snapfreeze::sweeper
