// Questions to Longhorn as the core hands them out, and what their answers do.
#include "sweeper/longhorn/ask.h"
#include "sweeper/sweeper.h"
#include "test/unit/sweeper/rig.h"

namespace longhorn_core_test {

using namespace snapfreeze;
using namespace snapfreeze::test;
using namespace std::chrono_literals;
using namespace snapfreeze::sweeper;
using freeze::Phase;
using What = Change::What;
using Says = LiveAnswer::Says;
using End = AskDone::End;

namespace {

class FakeLonghorn : public LonghornApi {
 public:
  Result<HttpAnswer> post(const std::string& path_and_query, const std::string& body, Millis) override {
    asked.push_back(path_and_query + " " + body);
    return answer;
  }
  Result<HttpAnswer> answer = HttpAnswer{500, R"({"type":"error"})"};
  std::vector<std::string> asked;
};

// A guest that is held for two disks, of which nobody has said anything yet.
struct LonghornRig : Rig {
  explicit LonghornRig(ThawOn thaw_on = ThawOn::kCaptured, const std::vector<std::string>& names = {"a", "b"}) {
    seams.longhorn = &longhorn;
    core = std::make_unique<Sweeper>(seams, Settings{"me", {}}, Sweeper::Options{thaw_on, true});
    for (int kind = 0; kind < kKinds; ++kind) {
      core->on_change({static_cast<Kind>(kind), What::kRelistStarted, {}});
      core->on_change({static_cast<Kind>(kind), What::kRelistDone, {}});
    }
    held.created = std::chrono::floor<std::chrono::seconds>(runtime.wall());
    // Seen from its birth on.
    held.phase = Phase::kFreezing;
    apply(Kind::kSession, held);
    held.phase = Phase::kFrozen;
    held.resource_version = "101";
    apply(Kind::kVmi, vmi());
    apply(Kind::kBackup, backup({"a", "b"}));
    apply(Kind::kSession, held);
    for (const std::string& name : names) {
      apply(Kind::kSnapshot, member(name));
      CaptureFacts content;
      content.snapshot_uid = "uid-" + name;
      content.longhorn_volume = "pv-" + name;
      apply(Kind::kContent, content);
    }
  }

  void apply(Kind kind, Facts facts) { core->on_change({kind, What::kApplied, std::move(facts)}); }
  SnapshotFacts member(const std::string& name) const {
    SnapshotFacts facts = snapshot(name);
    facts.claim = "vm1-disk-0";
    facts.created = held.created;
    return facts;
  }
  // The one job that is due, if it is of that type. The session cannot be armed.
  template <class Of>
  std::optional<Job> due() {
    std::vector<Job> jobs = core->take_due();
    std::erase_if(jobs, [&](const Job& job) {
      if (!std::holds_alternative<ArmJob>(job.what)) return false;
      core->done({job.key, ArmDone{}});
      return true;
    });
    if (jobs.size() != 1 || !std::holds_alternative<Of>(jobs[0].what)) return std::nullopt;
    return std::move(jobs[0]);
  }
  void say(const Job& job, Says says) {
    const auto& asked = std::get<AskJob>(job.what);
    core->done({job.key, AskDone{End::kAnswered, asked.session, asked.snapshot, asked.volume, {says, *held.created}}});
  }
  // Each disk has been asked about once, and is not cut.
  void say_not_yet_of_each() {
    for (int i = 0; i < 2; ++i) {
      const auto question = due<AskJob>();
      REQUIRE(question);
      say(*question, Says::kNotYet);
    }
    runtime.sleep_for(50ms);
  }

  FakeLonghorn longhorn;
  freeze::Session held = session();
  std::unique_ptr<Sweeper> core;
};

}  // namespace

TEST_CASE("a leader asks about the disks of a held guest in a lane of their own, and thaws it at the last answer") {
  LonghornRig rig;
  rig.say_not_yet_of_each();
  const auto first = rig.due<AskJob>();
  REQUIRE(first);
  CHECK(first->lane() == Job::Lane::kAsk);
  CHECK_FALSE(rig.core->idle());
  rig.say(*first, Says::kCut);
  const auto second = rig.due<AskJob>();
  REQUIRE(second);
  CHECK(std::get<AskJob>(second->what).snapshot != std::get<AskJob>(first->what).snapshot);
  rig.say(*second, Says::kCut);
  const auto thaw = rig.due<ThawJob>();
  REQUIRE(thaw);
  CHECK(std::get<ThawJob>(thaw->what).session.captured.empty());
  CHECK(std::get<ThawJob>(thaw->what).sources.size() == 2);
}

TEST_CASE("nobody asks who does not lead, is told not to, or thaws when a snapshot is ready") {
  SECTION("not the leader") {
    LonghornRig rig;
    rig.leadership.lost_after = 0;
    CHECK(rig.core->take_due().empty());
  }
  SECTION("winding down") {
    LonghornRig rig;
    rig.core->wind_down();
    CHECK(rig.core->take_due().empty());
  }
  SECTION("ready") {
    LonghornRig rig(ThawOn::kReady);
    CHECK(rig.core->take_due().empty());
  }
  SECTION("no guest is held") {
    LonghornRig rig;
    rig.held.phase = Phase::kThawing;
    rig.held.resource_version = "102";
    rig.apply(Kind::kSession, rig.held);
    CHECK(rig.due<ThawJob>());
  }
}

TEST_CASE("an answer that comes once the thaw is under way is not taken") {
  LonghornRig rig;
  rig.say_not_yet_of_each();
  const auto question = rig.due<AskJob>();
  REQUIRE(question);
  VmiFacts gone = vmi();
  gone.deleting = true;
  rig.apply(Kind::kVmi, gone);
  const auto thaw = rig.due<ThawJob>();
  REQUIRE(thaw);
  rig.say(*question, Says::kCut);
  const auto situation = rig.core->world().situation(rig.held.uid);
  for (const Member& one : situation->members) CHECK_FALSE(one.live);
}

TEST_CASE("a question names the snapshot and its volume, and anything but Longhorn's own word is no answer") {
  FakeLonghorn longhorn;
  const AskJob job{"s", "uid-a", "pvc 1/x"};
  longhorn.answer = HttpAnswer{500, R"({"type":"error","message":"cannot find snapshot 'snapshot-uid-a'"})"};
  AskDone done = ask(longhorn, job);
  CHECK(done.end == End::kAnswered);
  CHECK(done.answer.says == Says::kNotYet);
  CHECK(done.session == "s");
  CHECK(done.snapshot == "uid-a");
  CHECK(done.volume == "pvc 1/x");
  REQUIRE(longhorn.asked.size() == 1);
  CHECK(longhorn.asked[0] == "/v1/volumes/pvc%201%2Fx?action=snapshotGet {\"name\":\"snapshot-uid-a\"}");
  longhorn.answer = HttpAnswer{200, "{}"};
  CHECK(ask(longhorn, job).end == End::kNoAnswer);
  longhorn.answer = Error{Code::kTransient, "too late"};
  CHECK(ask(longhorn, job).end == End::kNoAnswer);
  longhorn.answer = Error{Code::kCancelled, "stopping"};
  CHECK(ask(longhorn, job).end == End::kCancelled);
}

TEST_CASE("a disk is asked about once its content is known, whichever of the two comes first, and until it is cut") {
  const auto content = [](const std::string& volume) {
    CaptureFacts facts;
    facts.snapshot_uid = "uid-c";
    facts.longhorn_volume = volume;
    return facts;
  };
  LonghornRig rig(ThawOn::kCaptured, {});
  const auto volume = [&] {
    const auto situation = rig.core->world().situation(rig.held.uid);
    return situation->members.empty() ? "none" : situation->members[0].longhorn_volume;
  };
  const bool content_first = GENERATE(false, true);
  const auto apply = [&](bool content_now) {
    if (content_now) {
      rig.apply(Kind::kContent, content("pv-c"));
    } else {
      rig.apply(Kind::kSnapshot, rig.member("c"));
    }
  };
  apply(content_first);
  CHECK(rig.core->take_due().empty());
  apply(!content_first);
  const auto question = rig.due<AskJob>();
  REQUIRE(question);
  CHECK(std::get<AskJob>(question->what).volume == "pv-c");
  rig.say(*question, Says::kNotYet);
  SECTION("Longhorn's Snapshot does not know the volume, and takes nothing back") {
    CaptureFacts other;
    other.snapshot_uid = "uid-c";
    rig.apply(Kind::kLonghornSnapshot, other);
    CHECK(volume() == "pv-c");
    rig.core->on_change({Kind::kLonghornSnapshot, What::kDeleted, other});
    CHECK(volume() == "pv-c");
  }
  SECTION("a list that names it keeps it") {
    rig.core->on_change({Kind::kContent, What::kRelistStarted, {}});
    CHECK(volume() == "pv-c");
    rig.apply(Kind::kContent, content("pv-c"));
    rig.core->on_change({Kind::kContent, What::kRelistDone, {}});
    CHECK(volume() == "pv-c");
  }
  SECTION("a list that does not name it ends it") {
    rig.core->on_change({Kind::kContent, What::kRelistStarted, {}});
    rig.core->on_change({Kind::kContent, What::kRelistDone, {}});
    CHECK(volume().empty());
  }
  SECTION("it is deleted") {
    rig.core->on_change({Kind::kContent, What::kDeleted, content("pv-c")});
    CHECK(volume().empty());
  }
  SECTION("it says that it is cut") {
    CaptureFacts cut = content("");
    cut.captured = true;
    rig.apply(Kind::kContent, cut);
    CHECK(volume().empty());
  }
}

}  // namespace longhorn_core_test
