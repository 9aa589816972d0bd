#include "webhook/review.h"

#include <fstream>
#include <sstream>

#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

std::string golden(const std::string& file) {
  std::ifstream in(std::string(SNAPFREEZE_SOURCE_DIR) + "/test/unit/webhook/golden/" + file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string review_with(const std::string& field, const std::string& value) {
  Json request = test::json(R"({"uid": "u1", "namespace": "n1", "operation": "CREATE", "object": {"metadata": {}},
      "kind": {"group": "snapshot.storage.k8s.io", "version": "v1", "kind": "VolumeSnapshot"}})");
  if (!field.empty()) request.set(field, test::json(value));
  return Json::object({{"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}, {"request", request}})
      .dump();
}

TEST_CASE("a review of a real API server is decoded") {
  const auto review = decode_review(golden("harvester-10s-disk-0.json"));
  REQUIRE(review.ok());
  CHECK(review->uid == "9ea43771-c3d9-4fc9-9fc3-47c6017edc93");
  CHECK(review->off_topic.empty());
  CHECK(review->name == "bb1-volume-vm1-disk-0");
  CHECK(review->namespace_ == "vmns");
  CHECK_FALSE(review->dry_run);
  CHECK(review->user.name == "system:serviceaccount:harvester-system:harvester");
  CHECK(review->user.groups.items().size() == 3);
  CHECK(review->snapshot.source_pvc == "vm1-disk-0");
  CHECK(review->snapshot.metadata.controller()->name == "bb1");
}

TEST_CASE("a dry run, an object without a name and the user's extra are seen") {
  const auto dry_run = decode_review(golden("create-dry-run.json"));
  REQUIRE(dry_run.ok());
  CHECK(dry_run->dry_run);
  CHECK(dry_run->user.extra["authentication.kubernetes.io/credential-id"].items().size() == 1);
  const auto nameless = decode_review(golden("create-generate-name.json"));
  REQUIRE(nameless.ok());
  CHECK(nameless->name.empty());
}

TEST_CASE("what is no review is refused with a text that names the trouble") {
  const auto [body, text] = GENERATE(table<std::string, std::string>({
      {"", "body: must be an AdmissionReview in JSON"},
      {"no json", "body: must be an AdmissionReview in JSON"},
      {"[]", "kind: must be \"AdmissionReview\""},
      {review_with("", "").substr(0, 100), "body: must be"},
      {std::string(65, '[') + std::string(65, ']'), "deep"},
      {"{\"kind\": \"\xff\"}", "UTF-8"},
      {R"({"kind": "AdmissionReview", "kind": "AdmissionReview"})", "twice"},
      {R"({"kind": "Pod", "apiVersion": "admission.k8s.io/v1"})", "kind: must be \"AdmissionReview\""},
      {R"({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1beta1"})", "apiVersion: must be"},
      {R"({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"})", "request: must be"},
      {review_with("uid", R"("")"), "request.uid"},
      {review_with("uid", "7"), "request.uid"},
      {review_with("object", "null"), "request.object"},
      {review_with("object", "[]"), "request.object"},
      {review_with("namespace", "null"), "request.namespace"},
  }));
  const auto review = decode_review(body);
  REQUIRE_FALSE(review.ok());
  CHECK(review.error().code == Code::kMalformed);
  CAPTURE(review.error().message, text);
  CHECK(review.error().message.find(text) != std::string::npos);
}

TEST_CASE("a deciding key given twice is refused wherever it stands") {
  std::string body = review_with("", "");
  body.insert(body.find("\"uid\""), R"("dryRun": true, "dryRun": false, )");
  CHECK_FALSE(decode_review(body).ok());
}

TEST_CASE("what a wrong registration sends is off topic, not refused") {
  const auto [field, value] = GENERATE(table<std::string, std::string>({
      {"operation", R"("UPDATE")"},
      {"operation", R"("DELETE")"},
      {"kind", R"({"group": "", "version": "v1", "kind": "Pod"})"},
      {"kind", R"({"group": "other.io", "version": "v1", "kind": "VolumeSnapshot"})"},
      {"subResource", R"("status")"},
  }));
  const auto review = decode_review(review_with(field, value));
  REQUIRE(review.ok());
  CHECK(review->uid == "u1");
  CHECK(review->off_topic.find("MutatingWebhookConfiguration") != std::string::npos);
}

TEST_CASE("an answer echoes the uid and allows") {
  const Json answer = test::json(encode_answer("u1", Json::array(), {}));
  CHECK(answer["apiVersion"].string() == "admission.k8s.io/v1");
  CHECK(answer["kind"].string() == "AdmissionReview");
  CHECK(answer["response"]["uid"].string() == "u1");
  CHECK(answer["response"]["allowed"].boolean());
  CHECK(answer["response"]["patch"].is_null());
  CHECK(answer["response"]["patchType"].is_null());
  CHECK(answer["response"]["warnings"].is_null());
}

TEST_CASE("an answer carries patch and warnings") {
  const Json answer = test::json(encode_answer("u1", test::json(R"([{"op":"x"}])"), {"careful"}));
  CHECK(answer["response"]["patchType"].string() == "JSONPatch");
  CHECK(answer["response"]["patch"].string() == "W3sib3AiOiJ4In1d");
  CHECK(answer["response"]["warnings"].items().at(0).string() == "careful");
}

}  // namespace
}  // namespace snapfreeze::webhook
