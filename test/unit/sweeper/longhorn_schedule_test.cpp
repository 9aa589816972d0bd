#include <random>

#include "sweeper/longhorn/schedule.h"
#include "test/support/catch.h"
#include "test/unit/sweeper/build.h"

namespace longhorn_schedule_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using End = AskDone::End;
using Says = LiveAnswer::Says;

namespace {

AskSchedule::Disk disk(const std::string& name) {
  return {"uid-" + name, "pv-" + name, kServerStart};
}

AskDone not_yet(const AskJob& job) {
  return {End::kAnswered, job.session, job.snapshot, job.volume, {Says::kNotYet, {}}};
}

AskDone ended(const AskJob& job, End end) {
  return {end, job.session, job.snapshot, job.volume, {}};
}

AskDone cut(const AskJob& job, Millis when) {
  return {End::kAnswered, job.session, job.snapshot, job.volume, {Says::kCut, kServerStart + when}};
}

// One disk that Longhorn has been asked about once, and has said: not yet.
struct Asked {
  Asked() {
    schedule.want("s", {disk("a")}, at(0ms).at);
    schedule.done(not_yet(*schedule.next(at(0ms).at)), at(5ms));
  }
  AskSchedule schedule;
};

}  // namespace

TEST_CASE("a disk is asked about at its first sight, then every 50 ms") {
  AskSchedule schedule;
  CHECK(schedule.next_due() == Mono::max());
  schedule.want("s", {disk("a")}, at(100ms).at);
  CHECK(schedule.next_due() <= at(100ms).at);
  const auto first = schedule.next(at(100ms).at);
  REQUIRE(first);
  CHECK(first->volume == "pv-a");
  CHECK(first->snapshot == "uid-a");
  CHECK_FALSE(schedule.next(at(100ms).at));
  CHECK_FALSE(schedule.done(not_yet(*first), at(110ms)));
  CHECK(schedule.next_due() == at(150ms).at);
  CHECK_FALSE(schedule.next(at(149ms).at));
  const auto second = schedule.next(at(150ms).at);
  REQUIRE(second);
  CHECK(second->volume == "pv-a");
}

TEST_CASE("questions come less often the longer a disk takes, and within a second at last") {
  CHECK(ask_interval(0ms) == 50ms);
  CHECK(ask_interval(1s) == 50ms);
  CHECK(ask_interval(4s) == 200ms);
  CHECK(ask_interval(10s) == 500ms);
  CHECK(ask_interval(20s) == 1s);
  CHECK(ask_interval(60s) == 1s);
}

TEST_CASE(
    "each disk is asked about at its first sight, then they take turns, and once one is cut all are asked about") {
  AskSchedule schedule;
  schedule.want("s", {disk("a"), disk("b"), disk("c")}, at(0ms).at);
  std::set<std::string> asked;
  for (const Millis when : {0ms, 5ms, 10ms}) {
    const auto job = schedule.next(at(when).at);
    REQUIRE(job);
    asked.insert(job->snapshot);
    CHECK_FALSE(schedule.done(not_yet(*job), at(when)));
  }
  CHECK(std::exchange(asked, {}).size() == 3);
  CHECK(schedule.next_due() == at(60ms).at);
  for (const Millis when : {60ms, 110ms, 160ms}) {
    const auto job = schedule.next(at(when).at);
    REQUIRE(job);
    CHECK_FALSE(schedule.next(at(when).at));  // one question a session
    asked.insert(job->snapshot);
    CHECK_FALSE(schedule.done(not_yet(*job), at(when)));
  }
  CHECK(asked.size() == 3);
  for (int i = 0; i < 3; ++i) {
    const auto job = schedule.next(at(210ms + i * 4ms).at);
    REQUIRE(job);
    CHECK(schedule.done(cut(*job, 0ms), at(214ms + i * 4ms)));
  }
  CHECK(schedule.next_due() == Mono::max());
}

TEST_CASE("a guest of which a disk is cut is asked about before those that have waited longer, once for each cut") {
  AskSchedule schedule;
  schedule.want("s1", {disk("a"), disk("b"), disk("c")}, at(0ms).at);
  schedule.want("s2", {disk("d")}, at(0ms).at);
  for (int i = 0; i < 4; ++i) {
    const auto job = schedule.next(at(0ms).at);
    REQUIRE(job);
    CHECK_FALSE(schedule.done(not_yet(*job), at(0ms)));
  }
  auto first = schedule.next(at(500ms).at);
  REQUIRE(first);
  if (first->session != "s1") {
    CHECK_FALSE(schedule.done(not_yet(*first), at(500ms)));
    first = schedule.next(at(500ms).at);
    REQUIRE(first);
  }
  // Both have waited since then.
  CHECK(schedule.done(cut(*first, 0ms), at(900ms)));
  const auto second = schedule.next(at(900ms).at);
  REQUIRE(second);
  CHECK(second->session == "s1");
  CHECK_FALSE(schedule.done(not_yet(*second), at(900ms)));
  const auto third = schedule.next(at(900ms).at);
  REQUIRE(third);
  CHECK(third->session == "s2");
}

TEST_CASE("a session that wants nothing more is not asked for, whatever comes back") {
  Asked rig;
  const auto job = rig.schedule.next(at(50ms).at);
  REQUIRE(job);
  rig.schedule.want("s", {}, at(52ms).at);
  CHECK_FALSE(rig.schedule.done(cut(*job, 0ms), at(55ms)));
  CHECK(rig.schedule.next_due() == Mono::max());
}

TEST_CASE("a cut is believed only within what the clocks allow") {
  const AskSchedule::Disk one = disk("a");
  CHECK(believable(kServerStart, one, at(10ms), true));
  CHECK(believable(kServerStart - 1s, one, at(10ms), true));
  CHECK_FALSE(believable(kServerStart - 2s, one, at(10ms), true));
  CHECK_FALSE(believable(kServerStart + 1s, one, at(999ms), true));
  CHECK(believable(kServerStart + 1s, one, at(1000ms), true));
  CHECK_FALSE(believable(Wall(), one, at(10s), true));
  CHECK_FALSE(believable(kServerStart, one, {kStart, Wall::max()}, true));
}

TEST_CASE("who has never said: not yet, is believed once the second that he names has passed for certain") {
  AskSchedule schedule;
  schedule.want("s", {disk("a")}, at(0ms).at);
  CHECK_FALSE(schedule.done(cut(*schedule.next(at(0ms).at), 0ms), at(5ms)));
  CHECK_FALSE(schedule.done(cut(*schedule.next(at(1900ms).at), 0ms), at(1999ms)));
  const auto job = schedule.next(at(2100ms).at);
  REQUIRE(job);
  const auto believed = schedule.done(cut(*job, 0ms), at(2100ms));
  REQUIRE(believed);
  CHECK(believed->snapshot == "uid-a");
  CHECK(believed->created == kServerStart);
}

TEST_CASE("of a disk whose volume is another one now, nothing that was said of the former counts") {
  Asked rig;
  const auto job = rig.schedule.next(at(50ms).at);
  REQUIRE(job);
  AskSchedule::Disk other = disk("a");
  other.volume = "pv-other";
  rig.schedule.want("s", {other}, at(52ms).at);
  CHECK_FALSE(rig.schedule.done(cut(*job, 0ms), at(55ms)));
  const auto again = rig.schedule.next(at(55ms).at);
  REQUIRE(again);
  CHECK(again->volume == "pv-other");
  // It has not said "not yet".
  CHECK_FALSE(rig.schedule.done(cut(*again, 0ms), at(60ms)));
}

TEST_CASE("a disk about which no more can be asked, as the process stops, is left") {
  AskSchedule schedule;
  schedule.want("s", {disk("a")}, at(0ms).at);
  schedule.done(ended(*schedule.next(at(0ms).at), End::kCancelled), at(5ms));
  schedule.want("s", {disk("a")}, at(10ms).at);
  CHECK(schedule.next_due() == Mono::max());
}

TEST_CASE("a disk without an answer is left alone after three questions, and holds up no other") {
  AskSchedule schedule;
  schedule.want("s", {disk("hangs"), disk("well")}, at(0ms).at);
  int hung = 0;
  int answered = 0;
  for (Millis when{0}; when < 20s; when += 10ms) {
    const auto job = schedule.next(at(when).at);
    if (!job) continue;
    if (job->volume == "pv-well") {
      ++answered;
      schedule.done(not_yet(*job), at(when));
    } else {
      ++hung;
      schedule.done(ended(*job, End::kNoAnswer), at(when));
    }
  }
  CHECK(hung == AskSchedule::kDiskStrikes);
  CHECK(answered > 60);
}

TEST_CASE("Longhorn is left alone for a minute when nothing answers, and then asked again") {
  AskSchedule schedule;
  std::vector<Mono> asked;
  for (Millis when{0}; when < 190s; when += 10ms) {
    // Guests come and go; only Longhorn stays silent.
    const std::string name = std::to_string(when / 2000ms);
    schedule.want("s" + name, {disk(name)}, at(when).at);
    if (when >= 2s) schedule.want("s" + std::to_string(when / 2000ms - 1), {}, at(when).at);
    while (const auto job = schedule.next(at(when).at)) {
      asked.push_back(at(when).at);
      schedule.done(ended(*job, End::kNoAnswer), at(when));
    }
  }
  REQUIRE(asked.size() == 3 * AskSchedule::kStrikes);
  for (std::size_t i = AskSchedule::kStrikes; i < asked.size(); i += AskSchedule::kStrikes) {
    CHECK(asked[i] - asked[i - 1] >= AskSchedule::kLeftAlone);
    CHECK(asked[i] - asked[i - 1] < AskSchedule::kLeftAlone + 2s);
  }
}

TEST_CASE("at most 40 questions a second and 4 at once, shared fairly, whatever the guests and however slow Longhorn") {
  const std::uint32_t seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
  std::mt19937 random(seed);
  const auto draw = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); };
  AskSchedule schedule;
  const int guests = 1 + draw(200);
  const int disks = 1 + draw(8);
  const int slow = draw(2) == 0 ? 5 : 300;
  for (int i = 0; i < guests; ++i) {
    std::vector<AskSchedule::Disk> of_one;
    for (int k = 0; k < disks; ++k) of_one.push_back(disk(std::to_string(i) + "-" + std::to_string(k)));
    schedule.want("s" + std::to_string(i), of_one, at(Millis(draw(50))).at);
  }
  std::vector<Mono> calls;
  std::map<std::string, int> of_session;
  std::vector<std::pair<Millis, AskJob>> under_way;
  for (Millis when{100}; when < 15s; when += 5ms) {
    std::erase_if(under_way, [&](const auto& call) {
      if (call.first > when) return false;
      CHECK_FALSE(schedule.done(not_yet(call.second), at(when)));
      return true;
    });
    while (const auto job = schedule.next(at(when).at)) {
      calls.push_back(at(when).at);
      ++of_session[job->session];
      for (const auto& [until, other] : under_way) CHECK(other.session != job->session);
      under_way.emplace_back(when + Millis(1 + draw(slow)), *job);
      REQUIRE(under_way.size() <= AskSchedule::kAtOnce);
    }
    if (schedule.next_due() != Mono::max()) CHECK(schedule.next_due() > at(when).at);
  }
  for (std::size_t i = AskSchedule::kPerSecond; i < calls.size(); ++i) {
    REQUIRE(calls[i] - calls[i - AskSchedule::kPerSecond] >= 1s);
  }
  int least = 1'000'000;
  int most = 0;
  for (int i = 0; i < guests; ++i) {
    least = std::min(least, of_session["s" + std::to_string(i)]);
    most = std::max(most, of_session["s" + std::to_string(i)]);
  }
  CHECK(most - least <= std::max(3, most / 4));
}

TEST_CASE("the questions about a herd are spread over each second, so that no cut waits for the next one") {
  AskSchedule schedule;
  for (int i = 0; i < 8; ++i) {
    const std::string vm = std::to_string(i);
    schedule.want("s" + vm, {disk(vm + "-0"), disk(vm + "-1"), disk(vm + "-2")}, at(50ms * i).at);
  }
  std::vector<AskJob> under_way;
  Millis last{0};
  Millis longest{0};
  for (Millis when{0}; when < 4s; when += 5ms) {
    for (const AskJob& job : std::exchange(under_way, {})) CHECK_FALSE(schedule.done(not_yet(job), at(when)));
    while (const auto job = schedule.next(at(when).at)) {
      if (when > 2s) longest = std::max(longest, when - std::exchange(last, when));
      last = when;
      under_way.push_back(*job);
    }
  }
  CHECK(longest <= AskSchedule::kBetweenTurns + 5ms);
}

TEST_CASE("asked about are the disks of a held guest on Longhorn that nobody has called captured") {
  Situation situation;
  situation.session = session();
  situation.members.push_back({"u1", "vms", "one", "claim-1", 0, std::nullopt, {}, {}, kServerStart});
  situation.members.push_back({"u2", "vms", "two", "claim-2", 0, at(100ms), {}, {}, kServerStart});
  situation.members.push_back({"u3", "vms", "three", "claim-3", 0, std::nullopt, {}, {}, kServerStart});
  situation.members[2].live = LiveCut{at(100ms), kServerStart};
  for (Member& member : situation.members) member.longhorn_volume = "pv-" + member.name;
  // Of another storage, or its content is not there yet.
  situation.members.push_back({"u4", "vms", "four", "claim-4", 0, std::nullopt, {}, {}, kServerStart});
  const auto disks = disks_to_ask(situation);
  REQUIRE(disks.size() == 1);
  CHECK(disks[0].snapshot == "u1");
  CHECK(disks[0].volume == "pv-one");
  for (const auto phase : {freeze::Phase::kFreezing, freeze::Phase::kThawing, freeze::Phase::kResting}) {
    situation.session.phase = phase;
    CHECK(disks_to_ask(situation).empty());
  }
}

}  // namespace longhorn_schedule_test
