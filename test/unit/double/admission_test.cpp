// The call-out to webhooks, as kube-apiserver makes it.
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "test/double/api/review.h"
#include "test/double/face/base64.h"
#include "test/double/face/in_process_webhook.h"
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

// A webhook that answers what the test wants, and remembers what it was asked.
struct Hooked : World {
  Process process{runtime, "webhook-0"};
  std::vector<std::string> targets;
  std::vector<Json> reviews;
  std::function<WebhookReply(const Json& review)> answer = [](const Json& review) {
    return patch(review, Json::array());
  };

  Hooked() { hook({}); }
  ~Hooked() { process.kill(); }

  void hook(const WebhookOptions& options) {
    cluster.admission().register_webhook(
        options,
        {std::make_shared<InProcessWebhook>(process, [this](const std::string& target, const std::string& body) {
          targets.push_back(target);
          reviews.push_back(Json::parse(body));
          return answer(reviews.back());
        })});
  }

  static WebhookReply respond(const Json& response) {
    const Json review = {{"kind", "AdmissionReview"}, {"apiVersion", "admission.k8s.io/v1"}, {"response", response}};
    return {200, review.dump(), std::nullopt, ""};
  }
  static WebhookReply patch(const Json& review, const Json& operations) {
    return respond({{"uid", review["request"]["uid"]},
                    {"allowed", true},
                    {"patchType", "JSONPatch"},
                    {"patch", base64_encode(operations.dump())}});
  }
  static Json label() { return Json::array({{{"op", "add"}, {"path", "/metadata/labels/epoch"}, {"value", "e"}}}); }

  Reply create(const std::string& name, const Json& labels = {{"snapfreeze.harvesterhci.io/backup", "b"}}) {
    return cluster.create_snapshot("tenant", "vms", name, "vm1-disk-0", labels);
  }
  bool patched(const std::string& name) { return snapshot(name)["metadata"]["labels"].contains("epoch"); }
};

std::string read_golden(const std::string& name) {
  std::ifstream file(std::string(SNAPFREEZE_SOURCE_DIR) + "/test/unit/webhook/golden/" + name + ".json");
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a review is, byte for byte, what a real API server sent") {
  for (const char* name : {"harvester-default-disk-0", "harvester-10s-disk-0", "create-generate-name"}) {
    const auto captured = nlohmann::ordered_json::parse(read_golden(name));
    const Json review = Json::parse(captured.dump());
    Json object = review["request"]["object"];
    const Json fields = object["metadata"]["managedFields"][0];
    object["metadata"].erase("managedFields");
    add_managed_fields(object, fields["manager"].get<std::string>() + "/v0", fields["time"]);
    HttpRequest request;
    request.caller = review["request"]["userInfo"]["username"];
    auto expected = captured;
    if (request.caller == "admin") {  // a client certificate's groups and extra, which the double does not have
      expected["request"]["userInfo"] = {{"username", "admin"}, {"groups", {"system:authenticated"}}};
    }
    CHECK(review_body(request, object, review["request"]["uid"], false) == expected.dump());
  }
}

TEST_CASE("an object at admission has no uid, no timestamp, and perhaps no name") {
  Hooked world;
  Json object = {{"apiVersion", "snapshot.storage.k8s.io/v1"},
                 {"kind", "VolumeSnapshot"},
                 {"metadata", {{"generateName", "gen-"}, {"labels", {{"snapfreeze.harvesterhci.io/backup", "b"}}}}},
                 {"spec", {{"source", {{"persistentVolumeClaimName", "vm1-disk-0"}}}}}};
  world.cluster.call("tenant", "POST", "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots?dryRun=All",
                     object);
  REQUIRE(world.reviews.size() == 1);
  const Json request = world.reviews[0]["request"];
  CHECK_FALSE(request.contains("name"));
  CHECK(request["dryRun"] == true);
  CHECK(request["options"]["dryRun"] == Json{"All"});
  CHECK_FALSE(request["object"]["metadata"].contains("uid"));
  CHECK_FALSE(request["object"]["metadata"].contains("creationTimestamp"));
  CHECK(world.targets[0] == "/mutate?timeout=10s");
}

TEST_CASE("a patch is applied, by an independent library") {
  Hooked world;
  world.answer = [](const Json& review) { return Hooked::patch(review, Hooked::label()); };
  CHECK(world.create("s1").status == 201);
  CHECK(world.patched("s1"));
}

TEST_CASE("a patch that does not apply fails the request, even under Ignore") {
  Hooked world;
  world.answer = [](const Json& review) {
    return Hooked::patch(review, Json::array({{{"op", "remove"}, {"path", "/metadata/annotations/none"}}}));
  };
  CHECK(world.create("s1").status == 500);
  CHECK(world.snapshot("s1").is_null());
}

TEST_CASE("an object made invalid by the patch is refused") {
  Hooked world;
  world.answer = [](const Json& review) {
    return Hooked::patch(
        review, Json::array({{{"op", "add"}, {"path", "/metadata/labels/epoch"}, {"value", std::string(64, 'a')}}}));
  };
  CHECK(world.create("s1").status == 422);
}

TEST_CASE("under Ignore, whatever goes wrong with the call admits the object as it was") {
  Hooked world;
  int number = 0;
  const auto admitted = [&](const std::function<WebhookReply(const Json&)>& answer) {
    world.answer = answer;
    const std::string name = std::to_string(++number);
    return world.create(name).status == 201 && !world.patched(name);
  };
  CHECK(admitted([](const Json&) { return WebhookReply{500, "", std::nullopt, ""}; }));
  CHECK(admitted([](const Json&) { return WebhookReply{200, "not JSON", std::nullopt, ""}; }));
  CHECK(admitted([](const Json&) { return Hooked::respond({{"uid", "another"}, {"allowed", true}}); }));
  CHECK(admitted([](const Json& review) {
    return Hooked::respond(
        {{"uid", review["request"]["uid"]}, {"allowed", true}, {"patch", base64_encode(Hooked::label().dump())}});
  }));
  CHECK(admitted([](const Json&) -> WebhookReply { throw std::runtime_error("a bug"); }));
  CHECK(world.reviews.size() == 5);
}

TEST_CASE("under Fail it refuses") {
  Hooked world;
  WebhookOptions options;
  options.failure_policy = "Fail";
  world.hook(options);
  world.answer = [](const Json&) { return WebhookReply{500, "", std::nullopt, ""}; };
  CHECK(world.create("s1").status == 500);
}

TEST_CASE("a webhook that denies is obeyed") {
  Hooked world;
  world.answer = [](const Json& review) {
    return Hooked::respond({{"uid", review["request"]["uid"]}, {"allowed", false}});
  };
  CHECK(world.create("s1").status == 403);
}

TEST_CASE("a webhook that does not answer in time is given up, and goes on") {
  Hooked world;
  bool finished = false;
  world.answer = [&](const Json& review) {
    world.runtime.sleep_for(15s);
    finished = true;
    return Hooked::patch(review, Hooked::label());
  };
  const Mono start = world.runtime.now();
  CHECK(world.create("s1").status == 201);
  CHECK(world.runtime.now() - start == 10s);
  CHECK_FALSE(world.patched("s1"));
  world.runtime.sleep_for(6s);
  CHECK(finished);
}

TEST_CASE("a webhook that dies in the call breaks the connection at once; a dead one refuses it") {
  Hooked world;
  world.answer = [&](const Json&) {
    world.runtime.sleep_for(1h);
    return WebhookReply{};
  };
  world.runtime.spawn("killer", [&] {
    world.runtime.sleep_for(2s);
    world.process.kill();
  });
  const Mono start = world.runtime.now();
  CHECK(world.create("s1").status == 201);
  CHECK(world.runtime.now() - start == 2s);
  CHECK(world.create("s2").status == 201);
  CHECK(world.runtime.now() - start == 2s);
  CHECK(world.count("admission", "EOF") == 1);
  CHECK(world.count("admission", "connection refused") == 1);
}

TEST_CASE("429 and 5xx with Retry-After are tried again inside the deadline") {
  Hooked world;
  world.answer = [&](const Json& review) {
    if (world.reviews.size() < 3) return WebhookReply{429, "", 1, ""};
    return Hooked::patch(review, Hooked::label());
  };
  CHECK(world.create("s1").status == 201);
  CHECK(world.patched("s1"));
  world.answer = [](const Json&) { return WebhookReply{503, "", 1, ""}; };
  const Mono start = world.runtime.now();
  CHECK(world.create("s2").status == 201);
  CHECK(world.runtime.now() - start < 10s);
}

TEST_CASE("match conditions let through owner and label, and nothing else") {
  Hooked world;
  world.create("plain", Json::object());
  CHECK(world.reviews.empty());
  world.create("labelled");
  CHECK(world.reviews.size() == 1);
  world.cluster.start_backup("vms", "b1", "vm1");
  world.runtime.sleep_for(2s);
  CHECK(world.reviews.size() == 2);
}

TEST_CASE("a namespace opts out by its label") {
  Hooked world;
  world.cluster.add_namespace("quiet", {{"snapfreeze.harvesterhci.io/ignore", "true"}});
  world.cluster.create_snapshot("tenant", "quiet", "s1", "pvc", {{"snapfreeze.harvesterhci.io/backup", "b"}});
  CHECK(world.reviews.empty());
}

TEST_CASE("AlreadyExists is found after admission") {
  Hooked world;
  world.create("s1");
  CHECK(world.create("s1").status == 409);
  CHECK(world.reviews.size() == 2);
}

TEST_CASE("another plug-in may refuse the object after the webhook has seen it") {
  Hooked world;
  world.cluster.admission().reject_after_admission("vms", "s1");
  CHECK(world.create("s1").status == 403);
  CHECK(world.reviews.size() == 1);
  CHECK(world.create("s2").status == 201);
}

TEST_CASE("reinvocation calls again, with the patched object") {
  Hooked world;
  world.cluster.admission().set_rounds(2);
  world.answer = [](const Json& review) { return Hooked::patch(review, Hooked::label()); };
  world.create("s1");
  REQUIRE(world.reviews.size() == 2);
  CHECK(world.reviews[1]["request"]["object"]["metadata"]["labels"]["epoch"] == "e");
  CHECK(world.reviews[0]["request"]["uid"] != world.reviews[1]["request"]["uid"]);
}

TEST_CASE("calls are spread over the replicas") {
  SimRuntime runtime;
  Cluster cluster(runtime);
  VmOptions vm;
  cluster.add_vm(vm);
  Process process(runtime, "webhooks");
  std::array<int, 2> calls{};
  std::vector<std::shared_ptr<AdmissionTransport>> replicas;
  for (int& count : calls) {
    replicas.push_back(
        std::make_shared<InProcessWebhook>(process, [&count](const std::string&, const std::string& body) {
          ++count;
          return Hooked::patch(Json::parse(body), Json::array());
        }));
  }
  cluster.admission().register_webhook({}, replicas);
  for (int i = 0; i < 20; ++i) {
    cluster.create_snapshot("tenant", "vms", std::to_string(i), "vm1-disk-0",
                            {{"snapfreeze.harvesterhci.io/backup", "b"}});
  }
  CHECK(calls[0] + calls[1] == 20);
  CHECK(calls[0] > 2);
  CHECK(calls[1] > 2);
}
