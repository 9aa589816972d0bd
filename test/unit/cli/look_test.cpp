// One look at the cluster: bounded as a whole, and in whichever version the server has a kind.
#include "cli/shared/look.h"

#include "cli/shared/lists.h"
#include "test/support/catch.h"
#include "test/unit/cli/scripted_cluster.h"
#include "test/unit/cli/texts.h"

namespace snapfreeze::cli {
namespace {

using std::chrono::seconds;
using ::test::HandClock;
using ::test::parsed;
using ::test::ScriptedApi;

// Takes its time for each batch.
class SlowApi : public ScriptedApi {
 public:
  SlowApi(HandClock& clock, Millis each) : began(clock.monotonic()), clock_(clock), each_(each) {}
  std::vector<Result<kube::Response>> call_all(std::span<const kube::Request> requests) override {
    ++batches;
    clock_.wait(each_);
    return ScriptedApi::call_all(requests);
  }
  const Mono began;
  int batches = 0;

 private:
  HandClock& clock_;
  const Millis each_;
};

TEST_CASE("a look ends in time, however many objects there are") {
  HandClock clock;
  SlowApi api(clock, seconds(4));
  Look look(api, clock, seconds(10));
  const std::vector<kube::Request> many(1000, kube::get_request("/version"));
  const auto replies = look.call_all(many);
  REQUIRE(replies.size() == 1000);
  CHECK(replies.front().ok());
  REQUIRE_FALSE(replies.back());
  CHECK(replies.back().error().code == Code::kTransient);
  CHECK(replies.back().error().message.starts_with("could not read everything within 10s"));
  CHECK(api.batches == 3);
  // The last of them had no more time than was left.
  CHECK(api.calls.front().timeout == kube::kCallTimeout);
  CHECK(api.calls.back().timeout == seconds(2));
  CHECK(api.calls.back().send_by == api.began + seconds(10));
  // Nothing goes out any more.
  const std::size_t before = api.calls.size();
  CHECK_FALSE(look.call(kube::get_request("/version")));
  CHECK(api.calls.size() == before);
}

TEST_CASE("a list without an end comes to an end") {
  HandClock clock;
  SlowApi api(clock, seconds(1));
  std::vector<Json> pods(100000, parsed("{'metadata': {'name': 'p'}}"));
  api.add(kube::kPods, "prod", pods);
  Look look(api, clock, seconds(30));
  const auto listed = list_views<kube::PodView>(look, kube::kPods, "prod");
  REQUIRE_FALSE(listed);
  CHECK(listed.error().message.starts_with("cannot list pods: could not read everything within 30s"));
  CHECK(api.longest_list == kube::kListPage);
}

TEST_CASE("a kind whose version has gone is read in the one that is served") {
  HandClock clock;
  ScriptedApi api;
  api.serve("backup.kubevirt.io", {"v1beta1"}, "virtualmachinebackups");
  kube::Resource moved = kube::kKubeVirtBackups;
  moved.version = "v1beta1";
  api.add(moved, "prod", {parsed("{'metadata': {'name': 'own'}}")});
  api.put("/apis/backup.kubevirt.io/v1beta1/namespaces/prod/virtualmachinebackups/own", parsed("{'kind': 'x'}"));
  Look look(api, clock);
  const auto names = list_some<std::string>(look, kube::kKubeVirtBackups, "prod", [](const Json& object) {
    return std::optional<std::string>(object["metadata"]["name"].string());
  });
  REQUIRE(names);
  CHECK(*names == std::vector<std::string>{"own"});
  CHECK(kube::get(look, kube::object_path(kube::kKubeVirtBackups, "prod", "own")));
  // Discovery is asked once.
  CHECK(kube::get(look, kube::object_path(kube::kKubeVirtBackups, "prod", "own")));
  const auto discoveries = [&] {
    return std::count_if(api.calls.begin(), api.calls.end(),
                         [](const auto& one) { return one.target == "/apis/backup.kubevirt.io"; });
  };
  CHECK(discoveries() == 1);
}

TEST_CASE("what is not served has no objects, and what is not there is not there") {
  HandClock clock;
  ScriptedApi api;
  Look look(api, clock);
  const auto none = list_views<kube::BackupView>(look, kube::kHarvesterBackups, "prod");
  REQUIRE(none);
  CHECK(none->empty());
  api.serve("kubevirt.io", {"v1"}, "virtualmachines");
  const auto object = kube::get(look, kube::object_path(kube::kVirtualMachines, "prod", "ghost"));
  REQUIRE_FALSE(object);
  CHECK(object.error().code == Code::kNotFound);
}

TEST_CASE("where discovery fails, nobody says that there is nothing") {
  HandClock clock;
  ScriptedApi api;
  api.refuse("/apis/backup.kubevirt.io", GENERATE(403, 503));
  api.put("/apis/harvesterhci.io", parsed("{}"));
  // As behind an aggregated API that is down: the list itself is not found.
  class ListIsMissing : public kube::KubeApi {
   public:
    explicit ListIsMissing(kube::KubeApi& api) : api_(api) {}
    Result<kube::Response> call(const kube::Request& request) override {
      if (request.target.find("/namespaces/") == std::string::npos) return api_.call(request);
      kube::Response missing;
      missing.status = 404;
      return missing;
    }
    Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override {
      return api_.stream(request, idle, sink);
    }

   private:
    kube::KubeApi& api_;
  } hidden(api);
  Look look(hidden, clock);
  const auto listed = list_some<Json>(look, kube::kKubeVirtBackups, "prod",
                                      [](const Json& object) { return std::optional<Json>(object); });
  REQUIRE_FALSE(listed);
  CHECK(listed.error().message.find("cannot list virtualmachinebackups.backup.kubevirt.io: cannot find out which "
                                    "version") == 0);
}

TEST_CASE("only what is read is asked for elsewhere") {
  HandClock clock;
  ScriptedApi api;
  api.serve("kubevirt.io", {"v2"}, "virtualmachines");
  Look look(api, clock);
  const auto refused =
      kube::merge_patch(look, kube::object_path(kube::kVirtualMachines, "prod", "db1"), Json::object());
  CHECK(refused.error().code == Code::kNotFound);
  CHECK(api.calls.size() == 1);
  CHECK_FALSE(look.stream(kube::get_request("/version"), seconds(1), {}));
}

}  // namespace
}  // namespace snapfreeze::cli
