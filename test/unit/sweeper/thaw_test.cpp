#include "freeze/calls.h"
#include "test/unit/sweeper/rig.h"

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Intent;
using freeze::Phase;
using freeze::Session;
using End = ThawDone::End;
using Doubts = std::vector<freeze::Reason>;
namespace reason = freeze::reason;

namespace {

struct ThawRig : Rig {
  explicit ThawRig(bool is_windows = false) : Rig(1, is_windows) {}

  ThawJob job(Session session) {
    session.phase = Phase::kThawing;
    session.intent = {Intent::Call::kUnfreeze, "me"};
    ThawJob its_job;
    its_job.session = std::move(session);
    its_job.frozen_since = runtime.now();
    return its_job;
  }
  ThawJob job() { return job(begin(Phase::kFrozen)); }
  ThawDone thaw(const ThawJob& its_job) { return sweeper::thaw(seams, its_job); }

  void guest_fault(cluster::GuestFaultKind kind, Millis delay = 0ms) {
    cluster::GuestFault fault;
    fault.operation = "unfreeze";
    fault.kind = kind;
    fault.delay = delay;
    cluster.guests().add_fault("vms", "vm1", fault);
  }
};

}  // namespace

TEST_CASE("a thaw is on record, with all that was captured, before it is made") {
  ThawRig rig;
  ThawJob job = rig.job();
  job.session.captured = {{"uid-1", 700ms}};
  rig.runtime.sleep_for(1500ms);
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kSettled);
  CHECK(rig.unrecorded.empty());
  CHECK(rig.calls("unfreeze") == 1);
  CHECK(rig.calls() == 2);
  CHECK(rig.on_record()->phase == Phase::kThawing);
  CHECK(rig.on_record()->intent.by == "me");
  CHECK(rig.on_record()->captured == job.session.captured);
  CHECK(*done.frozen_for >= 1500ms);
  CHECK(*done.frozen_for < 1600ms);
}

TEST_CASE("a freeze whose begin was not seen is said to be as long as the server's clock allows") {
  ThawRig rig;
  ThawJob job = rig.job();
  job.frozen_since.reset();
  rig.runtime.sleep_for(4s);
  const ThawDone done = rig.thaw(job);
  CHECK(*done.frozen_for >= 4s);
  CHECK(*done.frozen_for <= 6500ms);
}

TEST_CASE("who does not lead writes nothing and calls nobody") {
  ThawRig rig;
  const ThawJob job = rig.job();
  rig.leadership.lost_after = 0;
  CHECK(rig.thaw(job).end == End::kNotMade);
  CHECK(rig.calls() == 0);
}

TEST_CASE("a leadership that is lost after the record was written sends no call") {
  ThawRig rig;
  const ThawJob job = rig.job();
  rig.leadership.lost_after = 1;
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kNotMade);
  CHECK(rig.calls("unfreeze") == 0);
  CHECK(done.session.resource_version == rig.on_record()->resource_version);
}

TEST_CASE("a session that was changed meanwhile is planned again, and its guest not touched") {
  ThawRig rig;
  const ThawJob job = rig.job();
  Session joined = job.session;
  joined.phase = Phase::kFrozen;
  joined.holds.push_back(harvester_hold("b2"));
  REQUIRE(rig.machine.sessions.update(joined).ok());
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kReplan);
  CHECK_FALSE(done.gone);
  CHECK(done.session.holds.size() == 2);
  CHECK(rig.calls("unfreeze") == 0);
}

TEST_CASE("the next session of the guest is not thawed on a stale view of the last one") {
  ThawRig rig;
  const ThawJob job = rig.job();
  REQUIRE(rig.machine.sessions.remove(*rig.on_record()).ok());
  const Session next = rig.begin(Phase::kFrozen);
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kReplan);
  CHECK(done.gone);
  CHECK(rig.calls("unfreeze") == 0);
  CHECK(rig.on_record()->resource_version == next.resource_version);
}

TEST_CASE("a record whose reply is lost is not taken for written") {
  ThawRig rig;
  const ThawJob job = rig.job();
  cluster::Fault lost;
  lost.kind = cluster::FaultKind::kDropAfter;
  lost.verb = "patch";
  rig.cluster.add_fault(lost);
  CHECK(rig.thaw(job).end == End::kNotMade);
  CHECK(rig.calls("unfreeze") == 0);
}

TEST_CASE("a failed thaw is unsettled, and on Windows a doubt") {
  for (const bool windows : {false, true}) {
    ThawRig rig(windows);
    const ThawJob job = rig.job();
    rig.guest_fault(cluster::GuestFaultKind::kFail);
    const ThawDone done = rig.thaw(job);
    CHECK(done.end == End::kUnsettled);
    CHECK(done.session.unsettled);
    CHECK(done.session.doubts == (windows ? Doubts{reason::kThawUnsettled} : Doubts{}));
  }
}

TEST_CASE("a thaw that is not answered in 10 s is unsettled") {
  ThawRig rig;
  const ThawJob job = rig.job();
  rig.guest_fault(cluster::GuestFaultKind::kLate, 30s);
  const Mono begin = rig.runtime.now();
  CHECK(rig.thaw(job).end == End::kUnsettled);
  CHECK(rig.runtime.now() - begin < 11s);
}

TEST_CASE("VSS's limit on Windows is final: thawed, and not consistent") {
  ThawRig rig(true);
  const ThawJob job = rig.job();
  rig.cluster.call("webhook", "PUT",
                   "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/vm1/freeze",
                   {{"unfreezeTimeout", "60s"}});
  rig.runtime.sleep_for(12s);
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kSettled);
  CHECK(done.session.doubts == Doubts{reason::kWindowsLimit});
}

TEST_CASE("what Windows says counts only until KubeVirt's own timer may have asked for it") {
  for (const bool windows : {false, true}) {
    for (const Millis step : {0ms, -40000ms}) {
      ThawRig rig(windows);
      const ThawJob job = rig.job();
      rig.runtime.sleep_for(job.session.timer);
      rig.cluster.locked([&] { rig.cluster.store().step_clock(step); });
      const ThawDone done = rig.thaw(job);
      CHECK(done.end == End::kSettled);
      CHECK(done.session.doubts == (windows ? Doubts{reason::kThawUnsettled} : Doubts{}));
    }
  }
}

TEST_CASE("what Windows says in time counts, if it is known when that was") {
  ThawRig rig(true);
  ThawJob job = rig.job();
  rig.runtime.sleep_for(job.session.timer - 2s);
  SECTION("known") {
    CHECK(rig.thaw(job).session.doubts.empty());
  }
  SECTION("not known") {
    job.session.created = std::nullopt;
    job.frozen_since = std::nullopt;
    CHECK(rig.thaw(job).session.doubts == Doubts{reason::kThawUnsettled});
  }
}

TEST_CASE("a guest that has stopped meanwhile has nothing left to thaw") {
  ThawRig rig;
  ThawJob job = rig.job();
  job.session.unsettled = true;
  rig.cluster.guests().stop("vms", "vm1");
  rig.runtime.sleep_for(60s);
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kSettled);
  CHECK(done.session.doubts == Doubts{reason::kRestarted});
  CHECK_FALSE(done.session.unsettled);
  CHECK_FALSE(done.frozen_for);
}

TEST_CASE("a refusal by a guest that runs is tried again, and settles nothing") {
  ThawRig rig;
  const ThawJob job = rig.job();
  rig.cluster.locked([&] {
    rig.cluster.access().deny({"me", "update", "", "virtualmachineinstances/unfreeze", "", ""});
  });
  const ThawDone done = rig.thaw(job);
  CHECK(done.end == End::kRefused);
  CHECK_FALSE(done.session.unsettled);
  CHECK(done.session.doubts.empty());
}

TEST_CASE("a guest that is said to be gone is looked at, and not thawed when it is") {
  ThawRig rig;
  ThawJob job = rig.job();
  job.guest_gone = true;
  SECTION("another instance") {
    rig.cluster.guests().restart("vms", "vm1");
    rig.runtime.sleep_for(60s);
    CHECK(rig.thaw(job).end == End::kSettled);
    CHECK(rig.calls("unfreeze") == 0);
    CHECK(rig.on_record()->phase == Phase::kThawing);
    CHECK(rig.on_record()->intent.call == Intent::Call::kNone);
    CHECK(rig.on_record()->doubts == Doubts{reason::kRestarted});
  }
  SECTION("another instance, which was there before the freeze was answered") {
    rig.cluster.guests().restart("vms", "vm1");
    rig.runtime.sleep_for(60s);
    job.session.frozen_by = rig.runtime.wall();
    CHECK(rig.thaw(job).end == End::kSettled);
    CHECK(rig.calls("unfreeze") == 1);
    CHECK(rig.on_record()->doubts == Doubts{reason::kRestarted});
  }
  SECTION("there all the same") {
    CHECK(rig.thaw(job).end == End::kSettled);
    CHECK(rig.calls("unfreeze") == 1);
    CHECK(rig.unrecorded.empty());
  }
  SECTION("not to be told") {
    rig.fail("get", "virtualmachineinstances", 500);
    CHECK(rig.thaw(job).end == End::kNotMade);
    CHECK(rig.calls("unfreeze") == 0);
  }
}

TEST_CASE("a thaw that was answered after its leader was replaced puts a doubt on the session that is there then") {
  ThawRig rig;
  const ThawJob job = rig.job();
  // Read before the record and before the call; afterwards it is lost.
  rig.leadership.lost_after = 2;
  rig.guest_fault(cluster::GuestFaultKind::kLate, 3s);
  rig.runtime.spawn("successor", [&] {
    rig.runtime.sleep_for(1s);
    rig.cluster.call("successor", "DELETE", "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/vms.vm1");
    (void)rig.begin(Phase::kFreezing, "uid-b2");
  });
  rig.thaw(job);
  REQUIRE(rig.on_record());
  CHECK(rig.on_record()->uid != job.session.uid);
  CHECK(rig.on_record()->phase == Phase::kFreezing);
  CHECK(rig.on_record()->doubts == Doubts{reason::kThawUnsettled});
}

TEST_CASE("a guest that was held for long is looked at before its thaw: it must report frozen") {
  ThawRig rig;
  ThawJob job = rig.job();
  job.look_first = true;
  SECTION("it was thawed by somebody while the watch was silent") {
    CHECK(rig.thaw(job).session.doubts == Doubts{reason::kLapsed});
  }
  SECTION("it is frozen") {
    (void)freeze::freeze(rig.machine.api, "vms", "vm1", 30s);
    rig.runtime.sleep_for(6s);
    CHECK(rig.thaw(job).session.doubts.empty());
  }
  SECTION("nobody can tell: it is thawed all the same") {
    rig.fail("get", "virtualmachineinstances", 500);
    CHECK(rig.thaw(job).session.doubts == Doubts{reason::kUnverified});
    CHECK(rig.calls("unfreeze") == 1);
  }
}
