// Patches are applied by an independent library, so that a wrong one shows.
#include "webhook/patch.h"

#include <nlohmann/json.hpp>
#include <random>

#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using Independent = nlohmann::json;
using test::json;

const Marks kJoined{"epoch-1", "b1", "vm1"};
const Marks kCrashed{freeze::kEpochNone, "b1", "vm1", freeze::crash(freeze::reason::kLate)};

Independent patched(const Json& object, const Marks& marks) {
  return Independent::parse(object.dump()).patch(Independent::parse(patch_for(object, marks).dump()));
}

std::string label(const Independent& object) {
  return object["metadata"]["labels"][freeze::kEpochLabel];
}

TEST_CASE("a patch applies to objects without metadata, labels or annotations") {
  const auto text = GENERATE(as<std::string>{}, "{}", R"({"metadata": null})", R"({"metadata": {}})",
                             R"({"metadata": {"labels": null, "annotations": null}})",
                             R"({"metadata": {"labels": {}, "annotations": {}}})",
                             R"({"metadata": {"labels": {"a/b~c": "d"}, "annotations": {"e~/f": "g"}}})");
  const auto object = patched(json(text), kCrashed);
  CHECK(label(object) == freeze::kEpochNone);
  const auto& annotations = object["metadata"]["annotations"];
  CHECK(annotations[freeze::kBackupAnnotation] == "b1");
  CHECK(annotations[freeze::kVmAnnotation] == "vm1");
  CHECK(annotations[freeze::kConsistency] == "crash");
  CHECK(annotations[freeze::kReason] == "late");
}

TEST_CASE("epoch and verdict brought along are overwritten or removed") {
  Json annotations = Json::object(
      {{freeze::kConsistency, "filesystem"}, {freeze::kReason, "mine"}, {freeze::kFrozenFor, "1s"}, {"other", "kept"}});
  const Json object = Json::object(
      {{"metadata",
        Json::object({{"labels", Json::object({{freeze::kEpochLabel, "forged"}})}, {"annotations", annotations}})}});
  const auto result = patched(object, kJoined);
  CHECK(label(result) == "epoch-1");
  const Independent wanted = {{freeze::kBackupAnnotation, "b1"}, {freeze::kVmAnnotation, "vm1"}, {"other", "kept"}};
  CHECK(result["metadata"]["annotations"] == wanted);
}

TEST_CASE("a verdict brought along as a label is removed") {
  const Json labels = Json::object({{freeze::kConsistency, "filesystem"}, {freeze::kReason, "r"}, {"app", "a"}});
  const Json object = Json::object({{"metadata", Json::object({{"labels", labels}})}});
  const Independent wanted = {{freeze::kEpochLabel, "epoch-1"}, {"app", "a"}};
  CHECK(patched(object, kJoined)["metadata"]["labels"] == wanted);
}

TEST_CASE("a verdict that the webhook itself gives is a label, too") {
  const Independent wanted = {
      {freeze::kEpochLabel, "none"}, {freeze::kConsistency, "crash"}, {freeze::kReason, "late"}};
  CHECK(patched(json("{}"), kCrashed)["metadata"]["labels"] == wanted);
}

TEST_CASE("annotations that would exceed the API server's limit are left out") {
  const Json annotations = Json::object({{"large", std::string(256 * 1024 - 10, 'x')}, {freeze::kConsistency, "f"}});
  const Json object = Json::object({{"metadata", Json::object({{"annotations", annotations}})}});
  const auto result = patched(object, kJoined);
  CHECK(label(result) == "epoch-1");
  CHECK(result["metadata"]["annotations"].size() == 1);
}

TEST_CASE("where no annotation fits, no epoch asks the sweeper for a verdict that would not fit either") {
  const Marks at_rest{freeze::kEpochOffline, "b1", "vm1"};
  const Marks marks = GENERATE_COPY(kCrashed, at_rest);
  const Json annotations = Json::object({{"large", std::string(256 * 1024 - 10, 'x')}});
  const Json none = Json::object({{"app", "a"}});
  const Json brought_along = Json::object({{"app", "a"}, {freeze::kEpochLabel, "none"}});
  for (const Json& labels : {none, brought_along}) {
    const auto result =
        patched(Json::object({{"metadata", Json::object({{"labels", labels}, {"annotations", annotations}})}}), marks);
    CHECK_FALSE(result["metadata"]["labels"].contains(freeze::kEpochLabel));
    CHECK(result["metadata"]["labels"]["app"] == "a");
    CHECK(result["metadata"]["annotations"].size() == 1);
  }
}

TEST_CASE("names of 253 characters stand in annotations whole") {
  const std::string name(253, 'n');
  const auto result = patched(json("{}"), {"epoch-1", name, name});
  CHECK(result["metadata"]["annotations"][freeze::kBackupAnnotation] == name);
}

Json random_map(std::mt19937& random) {
  static const std::vector<std::string> kKeys = {freeze::kEpochLabel,
                                                 freeze::kBackupLabel,
                                                 freeze::kVmAnnotation,
                                                 freeze::kConsistency,
                                                 freeze::kReason,
                                                 freeze::kFrozenFor,
                                                 "a/b~1",
                                                 "plain",
                                                 ""};
  if (random() % 6 == 0) return random() % 2 == 0 ? Json() : Json("odd");
  Json map = Json::object();
  for (const std::string& key : kKeys) {
    if (random() % 2 == 0) map.set(key, random() % 8 == 0 ? Json(7) : Json(random() % 2 == 0 ? "crash" : "epoch-1"));
  }
  return map;
}

Json random_object(std::mt19937& random) {
  Json object = Json::object({{"spec", Json::object({{"n", 1}})}});
  if (random() % 10 == 0) return object;
  Json metadata = Json::object({{"name", "s"}});
  if (random() % 4 != 0) metadata.set("labels", random_map(random));
  if (random() % 4 != 0) metadata.set("annotations", random_map(random));
  return object.set("metadata", metadata);
}

TEST_CASE("of what is not ours only our own marks are removed, from whatever object, and only once") {
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    const Json object = random_object(random);
    const Json patch = removals_for(object);
    for (const Json& operation : patch.items()) REQUIRE(operation["op"].string() == "remove");
    Independent result;
    REQUIRE_NOTHROW(result = Independent::parse(object.dump()).patch(Independent::parse(patch.dump())));
    REQUIRE(removals_for(json(result.dump())).items().empty());
    for (const char* map : {"labels", "annotations"}) {
      if (!result.contains("metadata") || !result["metadata"].contains(map)) continue;
      const Independent& left = result["metadata"][map];
      if (!left.is_object()) continue;
      const Json& before = object["metadata"][map];
      for (const char* key : {freeze::kEpochLabel, freeze::kConsistency, freeze::kReason, freeze::kFrozenFor}) {
        const bool ours = std::string(map) == "labels" || key != freeze::kEpochLabel;
        REQUIRE((!ours || !left.contains(key)));
      }
      REQUIRE(left.contains("plain") == !before["plain"].is_null());
      REQUIRE(left.contains(freeze::kVmAnnotation) == !before[freeze::kVmAnnotation].is_null());
    }
  }
}

TEST_CASE("every patch applies to its input, and deciding twice adds nothing") {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    const Json object = random_object(random);
    const Marks& marks = random() % 2 == 0 ? kJoined : kCrashed;
    Independent result;
    REQUIRE_NOTHROW(result = patched(object, marks));
    REQUIRE(label(result) == marks.epoch);
    REQUIRE(result["metadata"]["annotations"].value(freeze::kReason, "") ==
            (marks.verdict ? marks.verdict->reason.name() : ""));
    REQUIRE(result["spec"] == Independent({{"n", 1}}));
    const Json again = patch_for(json(result.dump()), marks);
    INFO(object.dump() << again.dump());
    REQUIRE(again.items().empty());
  }
}

}  // namespace
}  // namespace snapfreeze::webhook
