// The VM of a disk is looked for by lists: for whom, how many, how large.
#include "webhook/vm_finder.h"

#include <mutex>
#include <thread>
#include <vector>

#include "freeze/names.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/support/real_clock.h"
#include "test/unit/webhook/world.h"

namespace snapfreeze::webhook {
namespace {

using test::label_review;
using test::path_of;
using test::World;
namespace reason = freeze::reason;

constexpr char kList[] = "virtualmachineinstances?";
constexpr char kMembers[] = "volumesnapshots?";

TEST_CASE("no list is made on account of somebody who may not freeze") {
  World world;
  world.api.may_freeze = false;
  const auto annotations = GENERATE(as<std::string>{}, "{}", R"({"snapfreeze.harvesterhci.io/vm": "vm1"})");
  CHECK(world.admit(label_review("s0", "nightly", annotations)).decision == reason::kNotPermitted);
  CHECK(world.api.count(kList) == 0);
  CHECK(world.api.count(kMembers) == 0);
  CHECK_FALSE(world.session());
}

TEST_CASE("who may not freeze waits for nobody and takes no place from who may") {
  World world;
  world.api.may_freeze = false;
  world.put_session([](freeze::Session& session) { session.phase = freeze::Phase::kThawing; });
  const Mono start = world.clock.monotonic();
  CHECK(world.admit(label_review("s0", "nightly", R"({"snapfreeze.harvesterhci.io/vm": "vm1"})")).decision ==
        reason::kNotPermitted);
  CHECK(world.clock.monotonic() - start < Millis(100));
}

TEST_CASE("who may freeze one VM only must name it") {
  World world;
  world.api.may_freeze_only = "vm1";
  const Outcome unnamed = world.admit(label_review("s0", "nightly"));
  CHECK(unnamed.decision == reason::kNotPermitted);
  REQUIRE_FALSE(unnamed.warnings.empty());
  CHECK(unnamed.warnings.back().find(freeze::kVmAnnotation) != std::string::npos);
  CHECK(world.api.count(kList) == 0);
  CHECK(world.admit(label_review("s0", "nightly", R"({"snapfreeze.harvesterhci.io/vm": "vm1"})")).decision == kFroze);
}

TEST_CASE("who may freeze every VM of the namespace is asked once") {
  World world;
  CHECK(world.admit(label_review("s0", "nightly")).decision == kFroze);
  CHECK(world.api.count("POST /apis/authorization") == 1);
  CHECK(world.api.access_review["spec"]["resourceAttributes"]["name"].is_null());
}

TEST_CASE("lists are read in pages") {
  World world;
  for (int i = 0; i < 250; ++i) {
    const std::string vm = "a" + std::to_string(i);
    Json vmi = test::running_vmi(vm);
    vmi.set("spec", Json::object());
    world.api.objects[path_of(kube::kVirtualMachineInstances, vm)] = vmi;
  }
  CHECK(world.admit(label_review("s0", "nightly")).marks->vm == "vm1");
  CHECK(world.api.count(kList) == 3);
  CHECK(world.api.count("limit=100") >= 4);
}

// As slow as the test wants, and of use to many threads.
class SlowApi : public kube::KubeApi {
 public:
  Result<kube::Response> call(const kube::Request& request) override {
    {
      const std::lock_guard lock(mutex_);
      ++calls;
      most = std::max(most, ++now_);
    }
    std::this_thread::sleep_for(Millis(100));
    const std::lock_guard lock(mutex_);
    --now_;
    if (fail) return Error{Code::kTransient, "no"};
    kube::Response response;
    response.status = 200;
    response.body = Json::object({{"items", Json::array({test::running_vmi("vm1")})}}).dump();
    (void)request;
    return response;
  }
  Result<void> stream(const kube::Request&, Millis, const kube::LineSink&) override { return {}; }

  int calls = 0;
  int most = 0;
  bool fail = false;

 private:
  std::mutex mutex_;
  int now_ = 0;
};

struct Herd {
  void ask(int count, const std::function<std::string(int)>& namespace_of, Millis budget = Millis(5000)) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        const auto found = finder.find(namespace_of(i), "pvc-0", Budget(clock, clock.monotonic() + budget));
        const std::lock_guard lock(mutex);
        if (!found) ++errors;
        if (found && found->what == Found::What::kVm) ++vms;
        if (found && found->what == Found::What::kBusy) ++busy;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  SlowApi api;
  test::RealClock clock;
  Slots lists{2};
  Slots waits{64};
  VmFinder finder{api, clock, lists, waits};
  std::mutex mutex;
  int vms = 0, busy = 0, errors = 0;
};

TEST_CASE("many who ask at once share two lists: the one under way, and the next one") {
  Herd herd;
  herd.ask(50, [](int) { return std::string("vms"); });
  CHECK(herd.vms == 50);
  CHECK(herd.api.most == 1);
  CHECK(herd.api.calls <= 4);
}

TEST_CASE("lists of several namespaces are bounded, too") {
  Herd herd;
  herd.ask(20, [](int i) { return "ns" + std::to_string(i % 5); });
  CHECK(herd.vms == 20);
  CHECK(herd.api.most == 2);
}

TEST_CASE("who gets no list in time is told that we are busy") {
  Herd herd;
  herd.ask(
      20, [](int i) { return "ns" + std::to_string(i); }, Millis(150));
  CHECK(herd.busy > 0);
  CHECK(herd.busy + herd.vms + herd.errors == 20);
}

TEST_CASE("whoever waits for a list holds one of the places to wait, and without one does not wait") {
  test::FakeClock clock;
  test::FakeApi api(clock);
  const int places = GENERATE(0, 1);
  Slots lists(0);
  Slots waits(places);
  VmFinder finder(api, clock, lists, waits);
  const Mono start = clock.monotonic();
  const auto found = finder.find("vms", "pvc-0", Budget(clock, start + Millis(5000)));
  REQUIRE(found);
  CHECK(found->what == Found::What::kBusy);
  CHECK((clock.monotonic() > start) == (places > 0));
}

TEST_CASE("a list that is to be had at once needs no place to wait") {
  test::FakeClock clock;
  test::FakeApi api(clock);
  api.objects[path_of(kube::kVirtualMachineInstances, "vm1")] = test::running_vmi("vm1");
  Slots lists(1);
  Slots waits(0);
  VmFinder finder(api, clock, lists, waits);
  const auto found = finder.find(test::kNamespace, "pvc-0", Budget(clock, clock.monotonic() + Millis(5000)));
  REQUIRE(found);
  CHECK(found->vm == "vm1");
}

TEST_CASE("who would have to wait for a list of members without a place to wait is told at once that we are busy") {
  Settings settings;
  settings.max_waits = 0;
  World world(settings);
  const auto admit = [&](const std::string& name) {
    return world.admit(label_review(name, name, R"({"snapfreeze.harvesterhci.io/vm": "vm1"})"));
  };
  // The second asks while the first reads its list, the third while the second does.
  int lists = 0;
  std::optional<Outcome> third;
  world.api.on_call = [&](const kube::Request& request) {
    if (third || request.target.find(kMembers) == std::string::npos) return;
    const bool is_second = ++lists == 2;
    const Mono start = world.clock.monotonic();
    Outcome outcome = admit("s" + std::to_string(lists));
    if (!is_second) return;
    third = std::move(outcome);
    CHECK(world.clock.monotonic() - start < Millis(100));
  };
  admit("s0");
  REQUIRE(third);
  CHECK(third->decision == reason::kBusy);
}

TEST_CASE("a list that fails is its asker's error, and the next one asks anew") {
  Herd herd;
  herd.api.fail = true;
  herd.ask(3, [](int) { return std::string("vms"); });
  CHECK(herd.errors == 3);
  herd.api.fail = false;
  herd.ask(1, [](int) { return std::string("vms"); });
  CHECK(herd.vms == 1);
}

}  // namespace
}  // namespace snapfreeze::webhook
