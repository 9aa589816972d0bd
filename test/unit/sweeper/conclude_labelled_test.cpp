// The verdict of a backup that is only a label, and how verdicts are counted.
#include "test/unit/sweeper/conclude_rig.h"

namespace conclude_labelled_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using End = ConcludeDone::End;
namespace reason = freeze::reason;

namespace {

// The same two snapshots, but labelled by whoever made them.
void label(ConcludeRig& rig, int members) {
  rig.job.session.holds = {label_hold(members)};
  rig.job.holds = {{label_hold(members), {}, {}, false, {}, {}}};
}

std::string counted(Rig& rig, const std::string& series) {
  const std::string all = rig.machine.metrics.exposition();
  const auto found = all.find("snapfreeze_verdicts_total{" + series + "} ");
  return found == std::string::npos ? "" : all.substr(all.find('}', found) + 2, 1);
}

}  // namespace

TEST_CASE("a labelled backup is judged as a whole: one Event, and counted once") {
  ConcludeRig rig;
  // The backup whose snapshots these are would be another one, with its own freeze.
  rig.cluster.call("admin", "DELETE", "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups/b1");
  SECTION("consistent") {
    label(rig, 2);
    CHECK(rig.conclude().end == End::kEnded);
    CHECK(rig.last_event()["reason"] == "FilesystemConsistent");
    CHECK(counted(rig, R"(consistency="filesystem",reason="")") == "1");
  }
  SECTION("the second disk is not") {
    label(rig, 2);
    rig.job.session.captured[rig.job.members[1].uid] = 29s;
    rig.conclude();
    CHECK(rig.last_event()["message"].get<std::string>().starts_with("crash-consistent only: cut-too-late"));
    CHECK(counted(rig, R"(consistency="crash",reason="cut-too-late")") == "1");
  }
  SECTION("fewer came than were announced") {
    label(rig, 3);
    rig.conclude();
    CHECK(counted(rig, R"(consistency="crash",reason="missing")") == "1");
  }
  SECTION("one of them was deleted") {
    label(rig, 3);
    rig.job.holds[0].deleted_names.insert("gone");
    rig.conclude();
    CHECK(counted(rig, R"(consistency="crash",reason="deleted")") == "1");
  }
}

TEST_CASE("a verdict is counted once, however often a step is done again") {
  ConcludeRig rig;
  rig.fail("create", "/events", 503, 2);
  rig.fail("delete", "leases", 503, 1);
  for (int i = 0; i < 3; ++i) CHECK(rig.conclude().end == End::kFailed);
  CHECK(counted(rig, R"(consistency="filesystem",reason="")").empty());
  CHECK(rig.conclude().end == End::kEnded);
  CHECK(counted(rig, R"(consistency="filesystem",reason="")") == "1");
}

}  // namespace conclude_labelled_test
