#include "test/scenarios/runner/judge.h"

#include "test/scenarios/runner/flip.h"
#include "test/support/catch.h"

using namespace runner;

namespace {

Since at(int ms) {
  return Millis(ms);
}

// One VM with two disks, frozen from 100 ms to 500 ms, both disks cut meanwhile, all said to be consistent.
struct Story {
  Scenario scenario;
  Outcome outcome;
  Millis webhook_timeout{10000};

  Story() {
    scenario.vms.push_back({});
    scenario.vms.front().name = "db";
    scenario.vms.front().disks = 2;
    scenario.backups.push_back({});
    scenario.backups.front().name = "nightly";
    scenario.backups.front().vm = "db";
    outcome.seen.now = at(10000);
    Frozen frozen;
    frozen.from = at(100);
    frozen.until = at(500);
    frozen.frozen_by = "webhook";
    frozen.thawed_by = "sweeper";
    guest().frozen.push_back(frozen);
    guest().powered.push_back({at(-1000), std::nullopt});
    for (const char* disk : {"a", "b"}) {
      snapshot(disk) = {std::string("uid-") + disk, disk,    "nightly",          "vms/db",
                        std::string("vms/") + disk, "epoch", {"filesystem", ""}, at(300)};
    }
    outcome.seen.backups["vms/nightly"] = {{"filesystem", ""}, true};
    outcome.completed_after["vms/nightly"] = at(900);
  }

  Guest& guest() { return outcome.seen.guests["vms/db"]; }
  SeenSnapshot& snapshot(const std::string& disk) { return outcome.seen.snapshots["vms/nightly-volume-" + disk]; }
  bool promises_hold() const { return judge_promises(scenario, outcome, Millis(0), webhook_timeout).empty(); }
  bool holds(Expectation expected) {
    scenario.expectations = {std::move(expected)};
    return judge_expectations(scenario, outcome, Millis(0)).empty();
  }
};

Expectation about(Field field, const std::string& of) {
  Expectation expected;
  expected.field = field;
  expected.of = of;
  return expected;
}

}  // namespace

TEST_CASE("a story in which all went well breaks no promise") {
  CHECK(Story().promises_hold());
}

TEST_CASE("a snapshot that says filesystem although it was cut before the freeze breaks a promise") {
  Story story;
  story.snapshot("a").cut = at(99);
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("a cut at the very thaw is not covered") {
  Story story;
  story.snapshot("a").cut = at(500);
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("a freeze that left some filesystems writing covers nothing") {
  Story story;
  story.guest().frozen.front().whole = false;
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("disks of two freezes are not consistent together") {
  Story story;
  Frozen second = story.guest().frozen.front();
  second.from = at(600);
  second.until = at(900);
  story.guest().frozen.push_back(second);
  story.snapshot("b").cut = at(700);
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("a backup that says filesystem must have all of its disks") {
  Story story;
  story.outcome.seen.snapshots.erase("vms/nightly-volume-b");
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("offline is false while the guest has power") {
  Story story;
  for (const char* disk : {"a", "b"}) story.snapshot(disk).verdict = {"offline", ""};
  story.outcome.seen.backups["vms/nightly"].verdict = {"offline", ""};
  CHECK_FALSE(story.promises_hold());
  story.guest().powered.clear();
  CHECK(story.promises_hold());
}

TEST_CASE("a disk that somebody else has too is consistent only if that one is frozen as well") {
  Story story;
  auto& holders = story.outcome.seen.holders["vms/a"];
  holders.push_back({{at(-1000), std::nullopt}, "vm vms/db"});
  CHECK(story.promises_hold());
  SECTION("another VM") {
    holders.push_back({{at(-1000), std::nullopt}, "vm vms/web"});
    CHECK_FALSE(story.promises_hold());
    story.outcome.seen.guests["vms/web"].frozen = story.guest().frozen;
    CHECK(story.promises_hold());
  }
  SECTION("a pod") {
    holders.push_back({{at(-1000), at(299)}, "pod vms/copier"});
    CHECK(story.promises_hold());
    holders.back().until = at(300);
    CHECK_FALSE(story.promises_hold());
  }
}

TEST_CASE("a disk of a guest that was shut down from inside is at rest, but for the pod that has it") {
  Story story;
  for (const char* disk : {"a", "b"}) story.snapshot(disk).verdict = {"offline", ""};
  story.outcome.seen.backups["vms/nightly"].verdict = {"offline", ""};
  story.guest().powered.front().until = at(200);
  for (const char* claim : {"vms/a", "vms/b"}) {
    story.outcome.seen.holders[claim].push_back({{at(-1000), at(200)}, "vm vms/db"});
  }
  CHECK(story.promises_hold());
  story.outcome.seen.holders["vms/b"].push_back({{at(250), std::nullopt}, "pod vms/copier"});
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("a guest frozen at the end breaks a promise, unless the file says so") {
  Story story;
  story.guest().frozen.front().until.reset();
  CHECK_FALSE(story.promises_hold());
  Expectation stays = about(Field::kStaysFrozen, "vms/db");
  stays.yes = true;
  story.scenario.expectations = {stays};
  CHECK(story.promises_hold());
}

TEST_CASE("a guest frozen longer than any timer, a session left and a slow admission break promises") {
  Story story;
  SECTION("frozen") {
    story.guest().frozen.front().from = at(-80000);
  }
  SECTION("session") {
    story.outcome.seen.sessions = 1;
  }
  SECTION("admission") {
    story.outcome.seen.longest_admission = at(11000);
  }
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("an admission may take what the registration gives a webhook") {
  Story story;
  story.outcome.seen.longest_admission = at(14000);
  CHECK_FALSE(story.promises_hold());
  story.webhook_timeout = Millis(15000);
  CHECK(story.promises_hold());
  story.outcome.seen.longest_admission = at(16000);
  CHECK_FALSE(story.promises_hold());
}

TEST_CASE("freezes are those of snapfreeze") {
  Story story;
  Frozen harvester = story.guest().frozen.front();
  harvester.frozen_by = "harvester";
  story.guest().frozen.push_back(harvester);
  Expectation once = about(Field::kFreezes, "vms/db");
  once.count = 1;
  CHECK(story.holds(once));
}

TEST_CASE("a backup's verdict is also that of its snapshots, but for those with one of their own") {
  Story story;
  Expectation backup = about(Field::kVerdict, "vms/nightly");
  backup.verdicts = {{"filesystem", ""}};
  CHECK(story.holds(backup));
  story.snapshot("a").verdict = {"crash", "late"};
  CHECK_FALSE(story.holds(backup));
  Expectation disk = about(Field::kVerdict, "vms/nightly/a");
  disk.verdicts = {{"crash", "late"}};
  story.scenario.expectations = {backup, disk};
  CHECK(judge_expectations(story.scenario, story.outcome, Millis(0)).empty());
}

TEST_CASE("each kind of expectation fails when it is turned round") {
  Story story;
  const auto field = GENERATE(Field::kFreezes, Field::kFreezesAtMost, Field::kFrozenAtMost, Field::kThawedBy,
                              Field::kVerdict, Field::kCompletesWithin, Field::kThawedWithin);
  const bool of_backup = field == Field::kVerdict || field == Field::kCompletesWithin || field == Field::kThawedWithin;
  Expectation sound = about(field, of_backup ? "vms/nightly" : "vms/db");
  sound.count = 1;
  sound.who = "sweeper";
  sound.bound = field == Field::kThawedWithin   ? Millis(250)
                : field == Field::kFrozenAtMost ? Millis(500)
                                                : Millis(1000);
  sound.verdicts = {{"filesystem", ""}};
  REQUIRE(story.holds(sound));
  for (const Flipped& flip : flipped(story.scenario)) {
    CHECK_FALSE(judge_expectations(flip.scenario, story.outcome, Millis(0)).empty());
  }
  CHECK_FALSE(flipped(story.scenario).empty());
}

TEST_CASE("calls of Longhorn's API are counted in all, and in the second that has most of them") {
  Story story;
  Expectation asked = about(Field::kAsked, "longhorn/its-api");
  CHECK(story.holds(asked));
  for (const int ms : {0, 400, 900, 1300, 1399, 1400, 9000}) story.outcome.seen.longhorn_calls.push_back(at(ms));
  CHECK_FALSE(story.holds(asked));
  asked.yes = true;
  CHECK(story.holds(asked));

  Expectation calls = about(Field::kCalls, "longhorn/its-api");
  calls.count = 6;
  CHECK_FALSE(story.holds(calls));
  calls.count = 7;
  CHECK(story.holds(calls));

  // 400 to 1399; 1400 is a second later.
  Expectation rate = about(Field::kCallsASecond, "longhorn/its-api");
  rate.count = 3;
  CHECK_FALSE(story.holds(rate));
  rate.count = 4;
  CHECK(story.holds(rate));
}
