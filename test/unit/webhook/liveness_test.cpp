#include "webhook/liveness.h"

#include "test/support/catch.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using std::chrono::seconds;

constexpr Mono kStart{seconds(1000)};

Json lease(const std::string& holder, const std::string& renewed, int duration = 15) {
  return Json::object(
      {{"spec",
        Json::object({{"holderIdentity", holder}, {"renewTime", renewed}, {"leaseDurationSeconds", duration}})}});
}

TEST_CASE("no sweeper is alive before one was seen") {
  CHECK_FALSE(Liveness().alive(kStart));
}

TEST_CASE("a sweeper is alive for its lease's duration from the last change on") {
  Liveness sweeper;
  sweeper.observe(lease("s1", "t1"), kStart);
  CHECK(sweeper.alive(kStart));
  CHECK(sweeper.alive(kStart + seconds(14)));
  CHECK_FALSE(sweeper.alive(kStart + seconds(15)));
  sweeper.observe(lease("s1", "t1"), kStart + seconds(10));
  CHECK_FALSE(sweeper.alive(kStart + seconds(15)));
  sweeper.observe(lease("s1", "t2"), kStart + seconds(12));
  CHECK(sweeper.alive(kStart + seconds(26)));
}

TEST_CASE("the times in the lease, of another clock, mean nothing") {
  Liveness sweeper;
  sweeper.observe(lease("s1", "1970-01-01T00:00:00.000000Z"), kStart);
  CHECK(sweeper.alive(kStart + seconds(1)));
}

TEST_CASE("when a lease is given back, another sweeper has a moment to take it") {
  Liveness sweeper;
  sweeper.observe(lease("s1", "t1"), kStart);
  sweeper.observe(lease("", "t1", 1), kStart + seconds(2));
  CHECK(sweeper.alive(kStart + seconds(2) + kHandover - Millis(1)));
  CHECK_FALSE(sweeper.alive(kStart + seconds(2) + kHandover));
  sweeper.observe(lease("", "t1", 1), kStart + seconds(6));
  CHECK_FALSE(sweeper.alive(kStart + seconds(2) + kHandover));
  sweeper.observe(lease("s2", "t2"), kStart + seconds(8));
  CHECK(sweeper.alive(kStart + seconds(22)));
}

TEST_CASE("a lease that nobody held, or a leader that was dead, is nothing to wait for") {
  Liveness sweeper;
  sweeper.observe(lease("", "t1", 1), kStart);
  CHECK_FALSE(sweeper.alive(kStart));
  sweeper.observe(lease("s1", "t2", 15), kStart + seconds(1));
  sweeper.observe(lease("", "t2", 1), kStart + seconds(20));
  CHECK_FALSE(sweeper.alive(kStart + seconds(20)));
}

TEST_CASE("a lease that is gone says that nobody is alive") {
  Liveness sweeper;
  sweeper.observe(lease("s1", "t1"), kStart);
  sweeper.observe(Error{Code::kNotFound, "", 404}, kStart + seconds(3));
  CHECK_FALSE(sweeper.alive(kStart + seconds(3)));
  sweeper.observe(lease("", "t1", 1), kStart + seconds(4));
  CHECK_FALSE(sweeper.alive(kStart + seconds(4)));
  sweeper.observe(lease("s2", "t2"), kStart + seconds(5));
  CHECK(sweeper.alive(kStart + seconds(5)));
}

TEST_CASE("a lease that cannot be read neither kills the sweeper nor keeps it alive") {
  Liveness sweeper;
  sweeper.observe(lease("s1", "t1"), kStart);
  sweeper.observe(Error{Code::kTransient, "", 0}, kStart + seconds(5));
  CHECK(sweeper.alive(kStart + seconds(5)));
  sweeper.observe(Error{Code::kTransient, "", 0}, kStart + seconds(16));
  CHECK_FALSE(sweeper.alive(kStart + seconds(16)));
}

TEST_CASE("a duration written by hand keeps nobody alive for ever") {
  Liveness sweeper;
  sweeper.observe(lease("s1", "t1", 1'000'000'000), kStart);
  CHECK_FALSE(sweeper.alive(kStart + seconds(61)));
}

}  // namespace
}  // namespace snapfreeze::webhook
