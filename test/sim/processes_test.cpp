// The processes of the simulation behave as those of the program do: stopped anywhere, bounded, gated by leadership.
#include "test/sim/story.h"
#include "test/support/catch.h"

using namespace sim;
using namespace snapfreeze;
using namespace std::chrono_literals;

TEST_CASE("a process that is stopped at a step makes no call until it goes on") {
  Story story;
  story.lead();
  Process& sweeper = story.installation.process("sweeper-0");
  sweeper.gate.close_at(Gate::Where::kAtStep, 1, 8s);
  story.sleep(3s);
  const int stopped = story.calls("sweeper-0");
  story.sleep(5s);
  CHECK(story.calls("sweeper-0") == stopped);
  story.sleep(5s);
  CHECK(story.calls("sweeper-0") > stopped);
}

TEST_CASE("a stop before a call holds it back, and one after it holds back the reply") {
  for (const auto where : {Gate::Where::kBeforeCall, Gate::Where::kAfterCall}) {
    Story story;
    SweeperProcess& sweeper = story.lead();
    const int before = story.calls("sweeper-0");
    sweeper.gate.close_at(where, 1, 6s);
    story.sleep(5s);
    CHECK(story.calls("sweeper-0") == before + (where == Gate::Where::kAfterCall ? 1 : 0));
    story.sleep(10s);
    CHECK(story.calls("sweeper-0") > before + 1);
  }
}

TEST_CASE("a leader that was stopped sends nothing into the work of its successor") {
  for (int step = 1; step <= 40; ++step) {
    CAPTURE(step);
    Story story(3);
    story.cut_after(2s);
    SweeperProcess& first = story.lead();
    story.start_sweeper("sweeper-1");
    story.sleep(1s);
    story.backup("b1");
    story.sleep(1900ms);
    // In the middle of what it does for this backup, for longer than the leadership lasts.
    first.gate.close_at(Gate::Where::kAtStep, step, 60s);
    story.sleep(100s);
    CHECK(story.unrecorded().empty());
    CHECK_FALSE(story.frozen());
    CHECK_FALSE(story.consistency("b1").empty());
  }
}
