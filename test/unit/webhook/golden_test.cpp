// Reviews as a real API server sent them, and the patches for them: test/unit/webhook/golden/<name>.json and
// <name>.patch.json. A wanted change is taken over by running this program with SNAPFREEZE_GOLDEN=write.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using InOrder = nlohmann::ordered_json;

const std::filesystem::path kFolder =
    std::filesystem::path(SNAPFREEZE_SOURCE_DIR) / "test" / "unit" / "webhook" / "golden";

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The cluster as it was for that review: its backup with the disk as a member, its VM running; vm2 has no agent.
void prepare(test::World& world, const Review& review) {
  const auto* owner = review.snapshot.metadata.controller();
  const std::string vm = review.namespace_ == "vmns" ? review.snapshot.source_pvc.substr(0, 3) : "vm1";
  world.api.objects[kube::object_path(kube::kHarvesterBackups, review.namespace_, owner->name)] =
      test::backup(owner->name, owner->uid, vm, {review.name});
  Json vmi = test::running_vmi(vm);
  vmi.set("spec",
          Json::object({{"volumes", Json::array({Json::object(
                                        {{"dataVolume", Json::object({{"name", review.snapshot.source_pvc}})}})})}}));
  if (vm == "vm2") vmi.set("status", test::json(R"({"phase": "Running"})"));
  world.api.objects[kube::object_path(kube::kVirtualMachineInstances, review.namespace_, vm)] = vmi;
}

TEST_CASE("the patches for real reviews are the approved ones and apply") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".json") || name.ends_with(".patch.json")) continue;
    CAPTURE(name);
    ++files;
    const auto review = decode_review(read(entry.path()));
    REQUIRE(review.ok());
    test::World world;
    prepare(world, *review);
    const Outcome outcome = world.admit(*review);
    REQUIRE(outcome.marks);
    const auto patch = InOrder::parse(patch_for(review->object, *outcome.marks).dump());
    auto approved = entry.path();
    approved.replace_extension(".patch.json");
    if (std::getenv("SNAPFREEZE_GOLDEN") != nullptr) std::ofstream(approved) << patch.dump(2) << '\n';
    CHECK(patch.dump(2) + "\n" == read(approved));
    const auto object = nlohmann::json::parse(review->object.dump());
    CHECK_NOTHROW(object.patch(nlohmann::json::parse(patch.dump())));
  }
  CHECK(files == 9);
}

}  // namespace
}  // namespace snapfreeze::webhook
