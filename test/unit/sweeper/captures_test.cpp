#include "sweeper/world/captures.h"

#include <malloc.h>

#include "test/support/catch.h"

using namespace snapfreeze;
using sweeper::Captures;
using sweeper::Confirmed;
using sweeper::Observed;
using Source = Captures::Source;

namespace {

constexpr char kUid[] = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";

Observed at(int millis) {
  return {Mono(Millis(millis)), Wall(Millis(millis))};
}

std::string uid_of(int i) {
  char text[40];
  std::snprintf(text, sizeof text, "%08x-0000-4000-8000-%012x", i, i);
  return text;
}

}  // namespace

TEST_CASE("an error counts until each source that told of it takes it back") {
  Captures captures;
  CHECK(captures.note_failure(Source::kContent, kUid, at(1000).at));
  captures.note_failure(Source::kSnapshot, kUid, at(2000).at);
  CHECK_FALSE(captures.retract_failure(Source::kSnapshot, kUid));
  CHECK(captures.failed_since(kUid) == at(1000).at);
  CHECK(captures.retract_failure(Source::kContent, kUid));
  CHECK_FALSE(captures.failed_since(kUid));
  CHECK(captures.size() == 0);
  CHECK_FALSE(captures.retract_failure(Source::kContent, uid_of(2)));
}

TEST_CASE("a capture keeps the time at which it was first said, whoever said it") {
  Captures captures;
  CHECK(captures.note(Source::kContent, kUid, at(1)));
  CHECK_FALSE(captures.note(Source::kSnapshot, kUid, at(2)));
  CHECK(captures.find(kUid)->at == at(1).at);
  CHECK(captures.find(kUid)->bound == at(1).bound);
}

TEST_CASE("a capture is forgotten with the last object that says it") {
  Captures captures;
  captures.note(Source::kLonghorn, kUid, at(1));
  captures.note(Source::kContent, kUid, at(2));
  captures.forget(Source::kLonghorn, kUid);
  CHECK(captures.find(kUid));
  captures.forget(Source::kContent, kUid);
  CHECK_FALSE(captures.find(kUid));
  CHECK(captures.size() == 0);
}

TEST_CASE("what a relist does not name is forgotten for that source alone") {
  Captures captures;
  captures.note(Source::kContent, kUid, at(1));
  captures.note(Source::kContent, uid_of(1), at(1));
  captures.note(Source::kLonghorn, uid_of(1), at(1));
  captures.note(Source::kContent, uid_of(2), at(1));
  captures.relist_started(Source::kContent);
  captures.note(Source::kContent, kUid, at(5));
  captures.relist_done(Source::kContent);
  CHECK(captures.find(kUid)->at == at(1).at);
  CHECK(captures.find(uid_of(1)));
  CHECK_FALSE(captures.find(uid_of(2)));
}

TEST_CASE("uids that differ in one digit, or are no UUIDs, are told apart") {
  Captures captures;
  captures.note(Source::kContent, kUid, at(1));
  std::string other = kUid;
  other.back() = '8';
  CHECK_FALSE(captures.find(other));
  captures.note(Source::kContent, "one", at(1));
  CHECK(captures.find("one"));
  CHECK_FALSE(captures.find("two"));
  CHECK_FALSE(captures.note(Source::kContent, "", at(1)));
}

TEST_CASE("10,000 finished captures cost less than a megabyte") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return;  // their allocators count otherwise
#endif
  const auto before = mallinfo2().uordblks;
  Captures captures;
  for (int i = 0; i < 10000; ++i) captures.note(Source::kContent, uid_of(i), at(i));
  CHECK(captures.size() == 10000);
  CHECK(mallinfo2().uordblks - before < 1'000'000);
}

namespace {

Wall second(int seconds, Millis fraction = Millis(0)) {
  return Wall(std::chrono::seconds(seconds) + fraction);
}

// Longhorn has said that the snapshot was cut in the tenth second.
struct LiveRig {
  LiveRig() { CHECK(captures.note_live(kUid, {at(5), second(10)})); }
  Captures captures;
};

}  // namespace

TEST_CASE("a live cut is no capture, and is said once") {
  LiveRig rig;
  CHECK_FALSE(rig.captures.find(kUid));
  CHECK_FALSE(rig.captures.note_live(kUid, {at(6), second(11)}));
  CHECK(rig.captures.live(kUid)->seen.at == at(5).at);
  CHECK(rig.captures.live(kUid)->cut == second(10));
  CHECK(rig.captures.confirmed(kUid) == Confirmed::kNotYet);
  rig.captures.forget_live(kUid);
  CHECK_FALSE(rig.captures.live(kUid));
}

TEST_CASE("what an object of the API has said already, Longhorn need not say") {
  Captures captures;
  captures.note(Source::kLonghorn, kUid, at(1));
  CHECK_FALSE(captures.note_live(kUid, {at(2), second(10)}));
  CHECK_FALSE(captures.live(kUid));
}

TEST_CASE("an object with the same second confirms a live cut, and one with another denies it") {
  LiveRig rig;
  SECTION("the same, to the second") {
    CHECK(rig.captures.note(Source::kContent, kUid, at(50), second(10, Millis(999))));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kYes);
  }
  SECTION("later") {
    CHECK(rig.captures.note(Source::kContent, kUid, at(50), second(11)));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kNo);
  }
  SECTION("earlier") {
    rig.captures.note(Source::kContent, kUid, at(50), second(9, Millis(999)));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kNo);
  }
  SECTION("one that does not say when") {
    rig.captures.note(Source::kLonghorn, kUid, at(50));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kNotYet);
    CHECK(rig.captures.note(Source::kLonghorn, kUid, at(60), second(10)));
    CHECK_FALSE(rig.captures.note(Source::kLonghorn, kUid, at(70), second(10)));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kYes);
  }
  SECTION("one is enough, whatever another says") {
    rig.captures.note(Source::kSnapshot, kUid, at(50), second(0));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kNo);
    rig.captures.note(Source::kContent, kUid, at(60), second(10));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kYes);
  }
}

TEST_CASE("what confirmed a live cut and is gone, taken back or changed does not confirm it any more") {
  LiveRig rig;
  rig.captures.note(Source::kContent, kUid, at(50), second(10));
  rig.captures.note(Source::kLonghorn, kUid, at(50));  // it does not say when
  SECTION("gone") {
    rig.captures.forget(Source::kContent, kUid);
  }
  SECTION("taken back") {
    rig.captures.retract(Source::kContent, kUid);
  }
  SECTION("not named by the next list") {
    rig.captures.relist_started(Source::kContent);
    rig.captures.relist_done(Source::kContent);
  }
  SECTION("changed") {
    rig.captures.note(Source::kContent, kUid, at(60), second(12));
    CHECK(rig.captures.confirmed(kUid) == Confirmed::kNo);
    return;
  }
  CHECK(rig.captures.confirmed(kUid) == Confirmed::kNotYet);
}

TEST_CASE("the source that said it first is known") {
  Captures captures;
  captures.note(Source::kLonghorn, kUid, at(1));
  captures.note(Source::kContent, kUid, at(2));
  CHECK(captures.first_source(kUid) == Source::kLonghorn);
}
