// A review that is understood gets a patch that applies to its object, as a library of others applies patches, and
// marking the result once more adds nothing.
#include "webhook/review.h"

#include <nlohmann/json.hpp>

#include "test/load/fuzz/fuzz.h"
#include "webhook/patch.h"

using snapfreeze::Json;
using snapfreeze::fuzz::must;
namespace freeze = snapfreeze::freeze;
namespace webhook = snapfreeze::webhook;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto review = webhook::decode_review(snapfreeze::fuzz::text_of(data, size));
  if (!review || !review->off_topic.empty()) return 0;
  must(!review->uid.empty(), "an understood review has a uid");
  for (const webhook::Marks& marks : {webhook::Marks{"epoch", "backup", "vm"},
                                      webhook::Marks{"none", "backup", "", freeze::crash(freeze::reason::kNoAgent)}}) {
    const Json patch = webhook::patch_for(review->object, marks);
    nlohmann::json object = nlohmann::json::parse(review->object.dump());
    object = object.patch(nlohmann::json::parse(patch.dump()));  // throws when it does not apply
    const auto patched = Json::parse(object.dump());
    must(patched.ok(), "the patched object is JSON");
    must(webhook::patch_for(*patched, marks).items().empty(), "marking it again adds nothing");
    const auto answer = Json::parse(webhook::encode_answer(review->uid, patch, {"a warning"}));
    must(answer.ok() && (*answer)["response"]["allowed"].boolean(), "the answer allows it");
    must((*answer)["response"]["uid"].string() == review->uid, "the answer is to this review");
  }
  return 0;
}
