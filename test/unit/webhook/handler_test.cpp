#include "webhook/handler.h"

#include <nlohmann/json.hpp>

#include "test/double/face/base64.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using test::World;

constexpr char kReview[] = R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u1",
    "kind": {"group": "snapshot.storage.k8s.io", "version": "v1", "kind": "VolumeSnapshot"}, "operation": "CREATE",
    "name": "s0", "namespace": "vms", "userInfo": {"username": "alice"}, "object": {"metadata": {"name": "s0",
    "labels": {"snapfreeze.harvesterhci.io/backup": "nightly"}, "annotations": {"snapfreeze.harvesterhci.io/vm": "vm1"}},
    "spec": {"source": {"persistentVolumeClaimName": "pvc-0"}}}}})";

struct Fixture : World {
  MutateHandler handler{admission, clock, metrics};

  edge::HttpResponse post(const std::string& body, const std::string& query = "timeout=10s") {
    return handler({"POST", "/mutate", query, body, "10.0.0.1:1", clock.monotonic()});
  }
};

TEST_CASE_METHOD(Fixture, "of a snapshot that is not ours only what nobody may bring is taken, in a dry run too") {
  nlohmann::json review = nlohmann::json::parse(kReview);
  nlohmann::json& object = review["request"]["object"];
  review["request"]["dryRun"] = GENERATE(true, false);
  const bool is_import = GENERATE(true, false);
  if (is_import) {
    object["spec"]["source"] = {{"volumeSnapshotContentName", "content"}};
  } else {
    object["metadata"]["labels"] = nlohmann::json::object();
  }
  object["metadata"]["labels"]["snapfreeze.harvesterhci.io/epoch"] = "somebody-elses";
  object["metadata"]["annotations"]["snapfreeze.harvesterhci.io/consistency"] = "filesystem";
  const auto response = post(review.dump());
  const auto answer = nlohmann::json::parse(response.body)["response"];
  CHECK(answer["allowed"] == true);
  const auto patch = nlohmann::json::parse(*cluster::base64_decode(answer["patch"].get<std::string>()));
  CHECK(patch.size() == 2);
  for (const auto& operation : patch) CHECK(operation["op"] == "remove");
  const auto left = object.patch(patch);
  CHECK_FALSE(left["metadata"]["labels"].contains("snapfreeze.harvesterhci.io/epoch"));
  CHECK(left["metadata"]["annotations"] == nlohmann::json{{"snapfreeze.harvesterhci.io/vm", "vm1"}});
  CHECK(api.ledger.empty());
}

TEST_CASE_METHOD(Fixture, "a snapshot that is not ours and brings nothing gets no patch") {
  nlohmann::json review = nlohmann::json::parse(kReview);
  review["request"]["object"]["metadata"].erase("labels");
  const auto answer = nlohmann::json::parse(post(review.dump()).body)["response"];
  CHECK(answer["allowed"] == true);
  CHECK_FALSE(answer.contains("patch"));
}

TEST_CASE_METHOD(Fixture, "an admission review is answered with one") {
  const auto response = post(kReview);
  CHECK(response.status == 200);
  CHECK(response.headers.at(0) == std::pair<std::string, std::string>{"Content-Type", "application/json"});
  const auto answer = nlohmann::json::parse(response.body)["response"];
  CHECK(answer["uid"] == "u1");
  CHECK(answer["allowed"] == true);
  CHECK(answer["patchType"] == "JSONPatch");
  CHECK(metrics.exposition().find("snapfreeze_admissions_total{decision=\"froze\"} 1") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "the time-out of the URL is the budget") {
  api.every_call = Millis(20000);
  const Mono start = clock.monotonic();
  CHECK(post(kReview, "timeout=3s").status == 200);
  CHECK(clock.monotonic() - start <= Millis(2010));
}

TEST_CASE_METHOD(Fixture, "what is no review is refused and counted") {
  const auto response = post("{}");
  CHECK(response.status == 400);
  CHECK(response.body.find("kind: must be \"AdmissionReview\"") != std::string::npos);
  CHECK(metrics.exposition().find("snapfreeze_admissions_total{decision=\"malformed\"} 1") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "other paths and methods are refused") {
  CHECK(handler({"POST", "/", "", kReview, "", {}}).status == 404);
  const auto response = handler({"GET", "/mutate", "", "", "", {}});
  CHECK(response.status == 405);
  CHECK(response.headers.back() == std::pair<std::string, std::string>{"Allow", "POST"});
}

}  // namespace
}  // namespace snapfreeze::webhook
