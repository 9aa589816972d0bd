// The AdmissionReview codec (admission.k8s.io/v1). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "kube/views.h"

namespace snapfreeze::webhook {

// The user who creates the object. Passed on unchanged when the API server is asked what they may do.
struct User {
  std::string name;
  std::string uid;
  Json groups;  // an array of strings, or null
  Json extra;   // an object of arrays of strings, or null
};

struct Review {
  std::string uid;
  // Why this is not the creation of a VolumeSnapshot, which a wrong registration may cause; "" when it is. When it is
  // not, everything but the uid may be empty.
  std::string off_topic;
  std::string name;  // "" when the object has a generateName only
  std::string namespace_;
  bool dry_run = false;
  User user;
  Json object;  // exactly as received: a patch must apply to it
  kube::SnapshotView snapshot;
};

// kMalformed, with a text that names the field and what it should be: anything that base/json.h refuses (not JSON, too
// deep, bad UTF-8, a duplicate key), a kind or version other than AdmissionReview v1, no uid, and, for the creation of
// a VolumeSnapshot, no object or no namespace.
Result<Review> decode_review(std::string_view body);

// The answer always allows the object. `patch` is a list of JSON patch operations, empty for none. `warnings` are shown
// to the user, at most 256 bytes of each.
[[nodiscard]] std::string encode_answer(std::string_view uid, const Json& patch,
                                        const std::vector<std::string>& warnings);

}  // namespace snapfreeze::webhook
