#include "freeze/interference.h"

#include "base/time.h"
#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/freeze/views.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::Freezer;
using freeze::Hold;
using freeze::Session;

namespace {

// All times of a test are seconds after the session's start.
const Wall kStart = *parse_time("2026-11-23T13:17:00Z");
constexpr Millis kMargin{1000};

Session session() {
  Session session;
  session.uid = "epoch";
  session.namespace_ = "team-a";
  session.vm = "db";
  session.timer = 30s;
  session.created = kStart;
  session.frozen_by = kStart + 2s;
  session.holds = {{Hold::Kind::kHarvester, "mine", "mine-uid", 0}};
  return session;
}

Freezer other(std::chrono::seconds created) {
  Freezer freezer;
  freezer.name = "other";
  freezer.uid = "other-uid";
  freezer.vm = "db";
  freezer.created = kStart + created;
  freezer.snapshots = {"other-disk-0"};
  freezer.changed = kStart;  // it is alive
  return freezer;
}

bool interferes(const Freezer& freezer, const Session& with = session()) {
  return harvester_interfered(with, kMargin, std::span(&freezer, 1)) == &freezer;
}

}  // namespace

TEST_CASE(
    "another unfinished backup of the VM interferes, whatever its deadline: its freeze may have failed half-way") {
  Freezer freezer = other(-60s);
  CHECK(interferes(freezer));
  freezer.deadline = GENERATE(Millis(0), Millis(10s), Millis(60s));
  CHECK(interferes(freezer));
}

TEST_CASE("of several backups, the first that interferes is named") {
  std::vector<Freezer> several = {other(3s), other(-60s), other(-60s)};
  CHECK(harvester_interfered(session(), kMargin, several) == &several[1]);
  several.resize(1);
  CHECK(harvester_interfered(session(), kMargin, several) == nullptr);
}

TEST_CASE("the backup that began the session does not stand in its own way") {
  Freezer freezer = other(-60s);
  freezer.uid = "mine-uid";
  CHECK_FALSE(interferes(freezer));
}

TEST_CASE("a backup that joined counts as much as one that did not") {
  Session joined = session();
  joined.holds.push_back({Hold::Kind::kHarvester, "other", "other-uid", 0});
  const Freezer freezer = other(0s);
  CHECK(interferes(freezer, joined));
}

TEST_CASE("a backup of another VM has no effect") {
  Freezer freezer = other(-60s);
  freezer.vm = "web";
  CHECK_FALSE(interferes(freezer));
}

TEST_CASE("a backup that was created after the freeze had answered has no effect") {
  CHECK_FALSE(interferes(other(3s)));
  CHECK(interferes(other(2s)));
}

TEST_CASE("while it is not known when the freeze answered, any backup counts") {
  Session unknown = session();
  unknown.frozen_by.reset();
  const Freezer freezer = other(600s);
  CHECK(interferes(freezer, unknown));
}

TEST_CASE("a backup counts for 5 s after its end, as Harvester looks at it once more") {
  Freezer freezer = other(-600s);
  freezer.over = true;
  freezer.ended = kStart - 6s;
  CHECK_FALSE(interferes(freezer));
  freezer.ended = kStart - 5s;
  CHECK(interferes(freezer));
}

TEST_CASE("a backup that does not say when it ended is over an hour after its creation") {
  Freezer freezer = other(-3700s);
  freezer.over = true;
  CHECK_FALSE(interferes(freezer));
  freezer.created = kStart - 3000s;
  CHECK(interferes(freezer));
}

TEST_CASE("a session of labelled snapshots is not spared by any backup") {
  Session labelled = session();
  labelled.holds = {{Hold::Kind::kLabel, "nightly", "", 2}};
  const Freezer freezer = other(-60s);
  CHECK(interferes(freezer, labelled));
}

TEST_CASE("a labelled session may have found frozen what another backup froze, for as long as that one's timer runs") {
  Session labelled = session();
  labelled.holds = {{Hold::Kind::kLabel, "nightly", "", 2}};
  Freezer freezer = other(-60s);
  freezer.deadline = 20s;
  freezer.changed.reset();
  freezer.all_made = true;
  freezer.last_made = kStart - 15s;
  CHECK(interferes(freezer, labelled));
  CHECK_FALSE(interferes(freezer));  // this one began with an unfreeze
  freezer.last_made = kStart - 21s;
  CHECK_FALSE(interferes(freezer, labelled));
}

TEST_CASE("a backup in error that was left behind has no effect, one that tries again has") {
  Freezer freezer = other(-3600s);
  freezer.changed = kStart - 6s;
  CHECK_FALSE(interferes(freezer));
  freezer.changed = kStart - 5s;
  CHECK(interferes(freezer));
  freezer.changed = kStart - 60s;
  freezer.last_made = kStart + 1s;  // it made one of its snapshots
  CHECK(interferes(freezer));
}

TEST_CASE("a backup whose snapshots all exist acted when the last of them was made, whatever its error says") {
  Freezer freezer = other(-3600s);
  freezer.all_made = true;
  freezer.last_made = kStart - 6s;
  freezer.changed = kStart + 1s;  // its upload fails
  CHECK_FALSE(interferes(freezer));
  freezer.last_made = kStart - 5s;
  CHECK(interferes(freezer));
  freezer.over = true;  // long over by its conditions, but a snapshot was made anew
  freezer.ended = kStart - 600s;
  CHECK(interferes(freezer));
}

TEST_CASE("a backup that has not written down its snapshots has never frozen") {
  Freezer freezer = other(0s);
  freezer.snapshots.clear();
  CHECK_FALSE(interferes(freezer));
  freezer.froze = true;  // somebody has emptied its list
  CHECK(interferes(freezer));
}

TEST_CASE("a backup that was deleted during the session counts, unless it had been over for long") {
  Freezer freezer = other(-3700s);
  freezer.changed.reset();
  freezer.snapshots.clear();
  freezer.deleted = true;
  CHECK(interferes(freezer));
  freezer.over = true;
  CHECK_FALSE(interferes(freezer));
  freezer.ended = kStart - 5s;
  CHECK(interferes(freezer));
  freezer.created = kStart + 3s;  // after our freeze had answered
  CHECK_FALSE(interferes(freezer));
}

TEST_CASE("a backup that joined acted, whatever it says") {
  Session joined = session();
  joined.holds.push_back({Hold::Kind::kHarvester, "other", "other-uid", 0});
  Freezer freezer = other(-3600s);
  freezer.changed.reset();
  CHECK(interferes(freezer, joined));
}

TEST_CASE("snapshots are read only of a backup for which they decide") {
  const auto depends = [](const Freezer& freezer) { return depends_on_snapshots(session(), kMargin, freezer); };
  CHECK(depends(other(-3600s)));  // perhaps it only uploads
  CHECK_FALSE(depends(other(0s)));
  CHECK_FALSE(depends(other(3s)));
  Freezer freezer = other(-3600s);
  freezer.vm = "web";
  CHECK_FALSE(depends(freezer));
  freezer = other(-3600s);
  freezer.uid = "mine-uid";
  CHECK_FALSE(depends(freezer));
  freezer = other(-3600s);
  freezer.over = true;
  freezer.ended = kStart - 6s;
  CHECK_FALSE(depends(freezer));
  freezer.ended = kStart;
  CHECK(depends(freezer));
}

TEST_CASE("a snapshot of KubeVirt's interferes while it runs and if it ended within the session") {
  Freezer freezer = other(-60s);
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
  freezer.over = true;
  freezer.ended = kStart;
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
  freezer.ended = kStart - 1s;
  CHECK_FALSE(kubevirt_interfered(session(), std::span(&freezer, 1)));
}

TEST_CASE("a snapshot of KubeVirt's that came during the session interferes") {
  const Freezer freezer = other(10s);
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
}

TEST_CASE("one of another VM does not, one whose VM cannot be told does") {
  Freezer freezer = other(10s);
  freezer.vm = "web";
  CHECK_FALSE(kubevirt_interfered(session(), std::span(&freezer, 1)));
  freezer.vm = "";
  CHECK(kubevirt_interfered(session(), std::span(&freezer, 1)));
}
