// The demo: one VM backed up with snapfreeze, and three with what Harvester does alone, on the same slow storage.
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/log.h"
#include "cli/explain/picture.h"
#include "test/scenarios/demo/lane.h"
#include "test/scenarios/runner/objects.h"
#include "test/scenarios/runner/sandbox.h"

namespace {

using nlohmann::json;
using snapfreeze::Millis;

constexpr int kDisks = 3;
constexpr int kCutMs = 1200;  // of each disk, from its snapshot's creation: longer than Harvester's 1 s
constexpr Millis kPatience{20000};
constexpr Millis kShow{12500};  // long enough to see Harvester's 10 s end
// From the last cut to the thaw: two calls, the guest's own thaw of 15 ms, and a machine that is busy.
constexpr double kPromptMs = 250;
// Of a namespace: snapfreeze leaves it alone.
constexpr char kOptOut[] = "snapfreeze.harvesterhci.io/ignore";

struct Plan {
  const char* title;
  const char* ns;
  const char* vm;
  const char* deadline;
};
constexpr Plan kPlans[] = {{"with snapfreeze", "vms", "db", ""},
                           {"Harvester alone, its default of 1 s", "alone", "default", ""},
                           {"Harvester alone, 10 s as its 1.9 UI sends", "alone", "ten", "10s"},
                           {"Harvester alone, \"infinite\"", "alone", "infinite", "0s"}};

void say(const std::string& words) {
  fmt::print("demo: {}\n", words);
  std::fflush(stdout);
}

void start(runner::Sandbox& sandbox) {
  sandbox.control("POST", "namespaces", {{"name", "alone"}, {"labels", {{kOptOut, "true"}}}});
  sandbox.control("POST", "storage", {{"style", "longhorn"}, {"cut", kCutMs}});
  for (const Plan& plan : kPlans) {
    sandbox.control("POST", "vms", {{"ns", plan.ns}, {"name", plan.vm}, {"disks", kDisks}});
  }
  sandbox.processes().start("sweeper-0", {});
  sandbox.processes().wait_until_ready("sweeper-0", kPatience);
  for (const char* webhook : {"webhook-0", "webhook-1"}) sandbox.processes().start(webhook, {});
  for (const char* webhook : {"webhook-0", "webhook-1"}) sandbox.processes().wait_until_ready(webhook, kPatience);
  sandbox.register_webhooks();
  // Webhooks look for a living sweeper every 2 s.
  std::this_thread::sleep_for(Millis(2500));
}

void back_up(runner::Sandbox& sandbox, const Plan& plan) {
  runner::Backup backup;
  backup.name = plan.vm;
  backup.vm = plan.vm;
  backup.freeze_deadline = plan.deadline;
  const auto reply = sandbox.call("admin", "POST", runner::collection_path(runner::kBackupsOfHarvester, plan.ns),
                                  runner::backup_object(backup));
  if (reply.status >= 300) throw std::runtime_error("backup " + backup.name + ": " + reply.body);
}

std::string verdict_of(runner::Sandbox& sandbox, const Plan& plan) {
  const auto reply = sandbox.call("admin", "GET", runner::object_path(runner::kBackupsOfHarvester, plan.ns, plan.vm));
  const json notes = json::parse(reply.body).at("metadata").value("annotations", json::object());
  const std::string reason = notes.value("snapfreeze.harvesterhci.io/reason", "");
  return notes.value("snapfreeze.harvesterhci.io/consistency", "") + (reason.empty() ? "" : " (" + reason + ")");
}

std::vector<demo::Lane> look(runner::Sandbox& sandbox) {
  const json guests = sandbox.control("GET", "guests");
  const json timeline = sandbox.control("GET", "timeline");
  const double now = sandbox.control("GET", "now").at("ms");
  std::vector<demo::Lane> lanes;
  for (const Plan& plan : kPlans) {
    lanes.push_back(demo::lane_of(plan.title, std::string(plan.ns) + "/" + plan.vm, guests, timeline, now));
    lanes.back().verdict = verdict_of(sandbox, plan);
  }
  return lanes;
}

// What snapfreeze promises, held against what really happened; each broken promise in words.
std::vector<std::string> broken(const demo::Lane& ours) {
  std::vector<std::string> all;
  if (ours.cuts.size() != kDisks) all.push_back("the backup was blocked: not every disk was cut");
  if (!ours.frozen.empty() && !ours.frozen.back().until) all.push_back("the guest is still frozen");
  const bool held = !ours.cuts.empty() && ours.covered() == ours.cuts.size();
  if (ours.verdict == "filesystem" && !held) all.push_back("a false verdict: a disk was cut outside the freeze");
  if (ours.verdict != "filesystem") all.push_back("the verdict is '" + ours.verdict + "', not filesystem");
  const demo::FrozenSpan* freeze = ours.freeze();
  if (held && freeze->until && *freeze->until - ours.cuts.back().at > kPromptMs) {
    all.push_back(fmt::format("the guest thawed {:.0f} ms after the last cut", *freeze->until - ours.cuts.back().at));
  }
  return all;
}

int run(const runner::Programs& programs, const std::string& picture) {
  say("starting an embedded cluster, two webhooks and a sweeper");
  runner::Sandbox sandbox(programs, 1, false);
  start(sandbox);
  say(fmt::format("backing up four VMs of {} disks, each cut {:.1f} s after its snapshot was made", kDisks,
                  kCutMs / 1e3));
  for (const Plan& plan : kPlans) back_up(sandbox, plan);
  for (Millis waited{0}; waited < kShow; waited += Millis(2500)) {
    std::this_thread::sleep_for(Millis(2500));
    say(fmt::format("{:.1f} s", (waited + Millis(2500)).count() / 1e3));
  }
  const std::vector<demo::Lane> lanes = look(sandbox);
  for (const demo::Lane& lane : lanes) fmt::print("\n{}", snapfreeze::cli::to_text(lane));
  std::ofstream file(picture);
  file << snapfreeze::cli::to_svg(lanes);
  if (!file.flush()) throw std::runtime_error("cannot write " + picture);
  fmt::print("\n");
  say("the same as a picture: " + picture);
  const auto failures = broken(lanes.front());
  for (const std::string& failure : failures) say("BROKEN: " + failure);
  if (failures.empty()) say("every promise held");
  return failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "demo: takes the programs snapfreeze-sandbox and snapfreeze, and the SVG file to write\n");
    return 2;
  }
  snapfreeze::log::configure(snapfreeze::log::Format::kText, snapfreeze::log::Level::kError);
  try {
    return run({.sandbox = argv[1], .snapfreeze = argv[2]}, argv[3]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "demo: {}\n", error.what());
    return 1;
  }
}
