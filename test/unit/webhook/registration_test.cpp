// The chart's registration has the API server ask about whatever the webhook would change. The condition is read from
// what the chart renders, and evaluated as an API server would.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "freeze/names.h"
#include "test/double/api/match_conditions.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"
#include "webhook/patch.h"

namespace snapfreeze::webhook {
namespace {

std::string condition() {
  std::ifstream file(std::filesystem::path(SNAPFREEZE_SOURCE_DIR) / "test/real/chart/golden/default.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const std::string chart = text.str();
  const std::string key = "expression: >-\n";
  const std::size_t begin = chart.find(key, chart.find("matchConditions:"));
  REQUIRE(begin != std::string::npos);
  const std::size_t end = chart.find("namespaceSelector:", begin);
  std::string expression = chart.substr(begin + key.size(), end - begin - key.size());
  std::replace(expression.begin(), expression.end(), '\n', ' ');
  return expression;
}

bool asked_about(const std::string& object) {
  return cluster::match_condition(condition(), nlohmann::json::parse(object));
}

TEST_CASE("the webhook is asked about each mark that it would take away, and about no other object") {
  for (const char* map : {"labels", "annotations"}) {
    for (const char* key : {freeze::kEpochLabel, freeze::kBackupLabel, freeze::kConsistency, freeze::kReason,
                            freeze::kFrozenFor, freeze::kVmAnnotation, "app"}) {
      CAPTURE(map, key);
      const std::string object = Json::object({{"metadata", Json::object({{map, Json::object({{key, "x"}})}})}}).dump();
      const bool removes = !removals_for(test::json(object)).items().empty();
      const bool asks_for_a_freeze = std::string(map) == "labels" && std::string(key) == freeze::kBackupLabel;
      CHECK(asked_about(object) == (removes || asks_for_a_freeze));
    }
  }
  CHECK_FALSE(asked_about(R"({"metadata": {"name": "s"}})"));
}

TEST_CASE("the webhook is asked about what a backup of Harvester's owns") {
  CHECK(asked_about(R"({"metadata": {"ownerReferences": [{"kind": "VirtualMachineBackup"}]}})"));
  CHECK_FALSE(asked_about(R"({"metadata": {"ownerReferences": [{"kind": "VirtualMachineSnapshotContent"}]}})"));
}

}  // namespace
}  // namespace snapfreeze::webhook
