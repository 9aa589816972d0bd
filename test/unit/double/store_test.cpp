// What the API server does with objects.
#include "test/support/catch.h"
#include "test/unit/double/test_world.h"

using namespace cluster;
using namespace std::chrono_literals;

namespace {

constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases";
constexpr const char* kMerge = "application/merge-patch+json";

struct Leases : World {
  Json lease(const std::string& name, const Json& metadata = Json::object()) {
    Json object = {{"apiVersion", "coordination.k8s.io/v1"},
                   {"kind", "Lease"},
                   {"metadata", {{"name", name}}},
                   {"spec", {{"leaseDurationSeconds", 30}}}};
    object["metadata"].update(metadata);
    return object;
  }
  Reply create(const std::string& name, const Json& metadata = Json::object()) {
    return cluster.call("sweeper", "POST", kLeases, lease(name, metadata));
  }
  Reply call(const std::string& method, const std::string& rest, const Json& body = {},
             const std::string& type = "application/json") {
    return cluster.call("sweeper", method, kLeases + rest, body, type);
  }
  std::string version(const std::string& name) { return call("GET", "/" + name).json()["metadata"]["resourceVersion"]; }
};

}  // namespace

TEST_CASE("create sets uid, version and a timestamp in whole seconds of the cluster's clock") {
  Leases world;
  const Reply reply = world.create("a");
  CHECK(reply.status == 201);
  const Json metadata = reply.json()["metadata"];
  CHECK(metadata["uid"].get<std::string>().size() == 36);
  CHECK(metadata["creationTimestamp"] == "2026-11-23T13:17:00Z");
  CHECK_FALSE(metadata["resourceVersion"].get<std::string>().empty());
  CHECK(reply.headers.at("Date") == "Mon, 23 Nov 2026 13:17:00 GMT");
}

TEST_CASE("a second create of one name is AlreadyExists") {
  Leases world;
  world.create("a");
  const Reply reply = world.create("a");
  CHECK(reply.status == 409);
  CHECK(reply.json()["reason"] == "AlreadyExists");
  CHECK(reply.json()["kind"] == "Status");
}

TEST_CASE("generateName makes names") {
  Leases world;
  Json object = world.lease("");
  object["metadata"] = {{"generateName", "gen-"}};
  const std::string first = world.call("POST", "", object).json()["metadata"]["name"];
  const std::string second = world.call("POST", "", object).json()["metadata"]["name"];
  CHECK(first.rfind("gen-", 0) == 0);
  CHECK(first.size() == 9);
  CHECK(first != second);
}

TEST_CASE("a PUT with an older version is a Conflict, one without is refused") {
  Leases world;
  Json object = world.create("a").json();
  object["spec"]["holderIdentity"] = "me";
  CHECK(world.call("PUT", "/a", object).status == 200);
  const Reply stale = world.call("PUT", "/a", object);
  CHECK(stale.status == 409);
  CHECK(stale.json()["reason"] == "Conflict");
  object["metadata"].erase("resourceVersion");
  CHECK(world.call("PUT", "/a", object).status == 422);
}

TEST_CASE("a merge patch with a resourceVersion is conditional on it") {
  Leases world;
  world.create("a");
  const std::string version = world.version("a");
  const Json patch = {{"metadata", {{"resourceVersion", version}, {"annotations", {{"x", "1"}}}}}};
  CHECK(world.call("PATCH", "/a", patch, kMerge).status == 200);
  CHECK(world.call("PATCH", "/a", patch, kMerge).status == 409);
  const Json of_another = {{"metadata", {{"uid", "other"}, {"annotations", {{"x", "2"}}}}}};
  CHECK(world.call("PATCH", "/a", of_another, kMerge).status == 409);
  CHECK(world.call("GET", "/a").json()["metadata"]["annotations"]["x"] == "1");
}

TEST_CASE("a merge patch of null removes, and one that changes nothing makes no version") {
  Leases world;
  world.create("a", {{"annotations", {{"x", "1"}, {"y", "2"}}}});
  CHECK(world.call("PATCH", "/a", {{"metadata", {{"annotations", {{"x", nullptr}}}}}}, kMerge).status == 200);
  const std::string version = world.version("a");
  CHECK(world.call("PATCH", "/a", {{"metadata", {{"annotations", {{"y", "2"}}}}}}, kMerge).status == 200);
  CHECK(world.version("a") == version);
  CHECK(world.call("GET", "/a").json()["metadata"]["annotations"] == Json{{"y", "2"}});
}

TEST_CASE("a JSON patch applies in order or not at all") {
  Leases world;
  world.create("a");
  const char* type = "application/json-patch+json";
  const Json good = Json::array({{{"op", "add"}, {"path", "/metadata/labels"}, {"value", Json::object()}},
                                 {{"op", "add"}, {"path", "/metadata/labels/x"}, {"value", "1"}}});
  CHECK(world.call("PATCH", "/a", good, type).json()["metadata"]["labels"]["x"] == "1");
  const Json bad = Json::array({{{"op", "add"}, {"path", "/metadata/labels/y"}, {"value", "1"}},
                                {{"op", "remove"}, {"path", "/metadata/annotations/none"}}});
  CHECK(world.call("PATCH", "/a", bad, type).status == 422);
  CHECK_FALSE(world.call("GET", "/a").json()["metadata"]["labels"].contains("y"));
  CHECK(world.call("PATCH", "/a", good, "application/strategic-merge-patch+json").status == 415);
}

TEST_CASE("what a client may not change stays") {
  Leases world;
  const Json before = world.create("a").json()["metadata"];
  world.call("PATCH", "/a", {{"metadata", {{"uid", before["uid"]}, {"creationTimestamp", "1999-01-01T00:00:00Z"}}}},
             kMerge);
  CHECK(world.call("GET", "/a").json()["metadata"] == before);
}

TEST_CASE("status changes only by its subresource, and nothing else by it") {
  World world;
  world.cluster.create_snapshot("tenant", "vms", "s1", "vm1-disk-0");
  const std::string path = "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots/s1";
  const Json both = {{"metadata", {{"labels", {{"x", "1"}}}}}, {"status", {{"note", "n"}}}};
  world.cluster.call("csi", "PATCH", path + "/status", both, kMerge);
  CHECK(world.snapshot("s1")["status"]["note"] == "n");
  CHECK_FALSE(world.snapshot("s1")["metadata"].value("labels", Json::object()).contains("x"));
  world.cluster.call("csi", "PATCH", path, {{"metadata", {{"labels", {{"x", "1"}}}}}, {"status", {{"note", "m"}}}},
                     kMerge);
  CHECK(world.snapshot("s1")["status"]["note"] == "n");
  CHECK(world.snapshot("s1")["metadata"]["labels"]["x"] == "1");
}

TEST_CASE("delete obeys its preconditions") {
  Leases world;
  const Json made = world.create("a").json()["metadata"];
  CHECK(world.call("DELETE", "/a", {{"preconditions", {{"uid", "other"}}}}).status == 409);
  CHECK(world.call("DELETE", "/a", {{"preconditions", {{"resourceVersion", "1"}}}}).status == 409);
  const Reply gone = world.call(
      "DELETE", "/a", {{"preconditions", {{"uid", made["uid"]}, {"resourceVersion", made["resourceVersion"]}}}});
  CHECK(gone.status == 200);
  CHECK(gone.json()["status"] == "Success");
  CHECK(world.call("DELETE", "/a").status == 404);
}

TEST_CASE("an object with finalizers is only marked, until they are gone") {
  Leases world;
  world.create("a", {{"finalizers", {"example.com/hold"}}});
  world.call("DELETE", "/a");
  CHECK(world.call("GET", "/a").json()["metadata"].contains("deletionTimestamp"));
  world.call("PATCH", "/a", {{"metadata", {{"finalizers", nullptr}}}}, kMerge);
  CHECK(world.call("GET", "/a").status == 404);
}

TEST_CASE("what nobody owns any more is collected, also when its owner never was") {
  Leases world;
  const auto owned_by = [](const Json& uid) {
    return Json{
        {"ownerReferences", Json::array({{{"apiVersion", "v1"}, {"kind", "Lease"}, {"name", "owner"}, {"uid", uid}}})}};
  };
  const Json owner = world.create("owner").json();
  world.create("child", owned_by(owner["metadata"]["uid"]));
  world.create("orphan", owned_by("none"));
  world.runtime.sleep_for(5s);
  CHECK(world.call("GET", "/child").status == 200);
  CHECK(world.call("GET", "/orphan").status == 404);
  world.call("DELETE", "/owner");
  world.runtime.sleep_for(200ms);
  CHECK(world.call("GET", "/child").status == 404);
}

TEST_CASE("metadata that is not valid is a 422 that names the field") {
  Leases world;
  const auto complaint = [&](const Json& metadata) {
    const Reply reply = world.create("a", metadata);
    return reply.status == 422 ? reply.json()["message"].get<std::string>() : "";
  };
  CHECK(complaint({{"labels", {{"x", std::string(64, 'a')}}}}).find("metadata.labels") != std::string::npos);
  CHECK(complaint({{"labels", {{"x", "not valid"}}}}).find("metadata.labels") != std::string::npos);
  CHECK(complaint({{"name", "Upper"}}).find("metadata.name") != std::string::npos);
  CHECK(complaint({{"name", std::string(254, 'a')}}).find("metadata.name") != std::string::npos);
  CHECK(complaint({{"annotations", {{"a/b/c", "x"}}}}).find("metadata.annotations") != std::string::npos);
  CHECK(complaint({{"annotations", {{"x", std::string(262'144, 'a')}}}}).find("Too long") != std::string::npos);
  CHECK(world.create("b", {{"name", std::string(253, 'a')}, {"labels", {{"x", std::string(63, 'a')}}}}).status == 201);
}

TEST_CASE("a lease that is not valid is refused") {
  Leases world;
  Json object = world.lease("a");
  object["spec"]["leaseDurationSeconds"] = 0;
  CHECK(world.call("POST", "", object).status == 422);
  object["spec"] = {{"leaseDurationSeconds", 30}, {"renewTime", "2026-11-23T13:17:00Z"}};
  CHECK(world.call("POST", "", object).status == 422);
  object["spec"]["renewTime"] = "2026-11-23T13:17:00.000000Z";
  CHECK(world.call("POST", "", object).status == 201);
}

TEST_CASE("an event needs what its version demands, and stays in its object's namespace") {
  World world;
  Json event = {{"apiVersion", "events.k8s.io/v1"},
                {"kind", "Event"},
                {"metadata", {{"name", "e1"}}},
                {"regarding", {{"kind", "VirtualMachineBackup"}, {"name", "b1"}, {"namespace", "vms"}}},
                {"type", "Normal"},
                {"reason", "Thawed"},
                {"action", "Thaw"},
                {"reportingController", "snapfreeze"},
                {"reportingInstance", "sweeper-0"},
                {"eventTime", "2026-11-23T13:17:00.000000Z"}};
  const auto status = [&](const std::string& ns) {
    return world.cluster.call("sweeper", "POST", "/apis/events.k8s.io/v1/namespaces/" + ns + "/events", event).status;
  };
  CHECK(status("default") == 422);
  CHECK(status("vms") == 201);
  event.erase("action");
  CHECK(status("vms") == 422);
}

TEST_CASE("a backup of Harvester's cannot lose its VM") {
  World world;
  const std::string path = "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups";
  const Json backup = {{"apiVersion", "harvesterhci.io/v1beta1"},
                       {"kind", "VirtualMachineBackup"},
                       {"metadata", {{"name", "b1"}}},
                       {"spec", {{"source", {{"kind", "VirtualMachine"}, {"name", "vm1"}}}}}};
  REQUIRE(world.cluster.call("admin", "POST", path, backup).status == 201);
  for (const char* spec : {R"({"source":null})", R"({"source":{"name":null}})", R"({"source":{"name":1}})"}) {
    CAPTURE(spec);
    const Json patch = {{"spec", Json::parse(spec)}};
    CHECK(world.cluster.call("admin", "PATCH", path + "/b1", patch, kMerge).status == 422);
  }
}

TEST_CASE("bodies that do not fit the path are refused") {
  Leases world;
  Json object = world.lease("a");
  object["metadata"]["namespace"] = "vms";
  CHECK(world.call("POST", "", object).status == 400);
  CHECK(world.call("POST", "", world.cluster.get("kubevirt.io/virtualmachines", "vms", "vm1")).status == 400);
  CHECK(world.cluster.call("sweeper", "POST", "/apis/coordination.k8s.io/v1/namespaces/none/leases", world.lease("a"))
            .status == 404);
}

TEST_CASE("a dry-run changes nothing") {
  Leases world;
  CHECK(world.call("POST", "?dryRun=All", world.lease("a")).status == 201);
  CHECK(world.call("GET", "/a").status == 404);
  world.create("b");
  world.call("DELETE", "/b?dryRun=All");
  CHECK(world.call("GET", "/b").status == 200);
}

TEST_CASE("lists come in pages that show one moment, until history is compacted") {
  Leases world;
  for (const char* name : {"a", "b", "c", "d", "e"}) world.create(name);
  const Json first = world.call("GET", "?limit=2").json();
  CHECK(first["items"].size() == 2);
  CHECK(first["metadata"]["remainingItemCount"] == 3);
  CHECK_FALSE(first["items"][0].contains("kind"));
  world.call("DELETE", "/c");
  const std::string token = first["metadata"]["continue"];
  const Json second = world.call("GET", "?limit=2&continue=" + token).json();
  CHECK(second["items"][0]["metadata"]["name"] == "c");
  CHECK(second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]);
  world.cluster.locked([&] { world.cluster.store().compact(); });
  const Reply late = world.call("GET", "?limit=2&continue=" + token);
  CHECK(late.status == 410);
  CHECK(late.json()["reason"] == "Expired");
}

TEST_CASE("a list shows the moment that it is asked for, until history is compacted") {
  Leases world;
  world.create("a");
  const std::string then = world.call("GET", "/a").json()["metadata"]["resourceVersion"];
  world.call("DELETE", "/a");
  world.create("b");
  const std::string exact = "&resourceVersionMatch=Exact";
  const Json list = world.call("GET", "?resourceVersion=" + then + exact).json();
  REQUIRE(list["items"].size() == 1);
  CHECK(list["items"][0]["metadata"]["name"] == "a");
  CHECK(list["metadata"]["resourceVersion"] == then);
  CHECK(world.call("GET", "?resourceVersion=99999" + exact).status == 504);
  CHECK(world.call("GET", "?continue=1.1&resourceVersion=" + then + exact).status == 422);
  world.cluster.locked([&] { world.cluster.store().compact(); });
  CHECK(world.call("GET", "?resourceVersion=" + then + exact).status == 410);
}

TEST_CASE("lists obey label and field selectors") {
  Leases world;
  world.create("a", {{"labels", {{"tier", "x"}}}});
  world.create("b", {{"labels", {{"tier", "y"}, {"also", "1"}}}});
  world.create("c");
  const auto names = [&](const std::string& query) {
    std::string all;
    const Json list = world.call("GET", "?" + query).json();
    for (const Json& item : list["items"]) {
      all += item["metadata"]["name"].get<std::string>();
    }
    return all;
  };
  CHECK(names("labelSelector=tier%3Dx") == "a");
  CHECK(names("labelSelector=tier!%3Dx") == "bc");
  CHECK(names("labelSelector=tier") == "ab");
  CHECK(names("labelSelector=!tier") == "c");
  CHECK(names("labelSelector=tier%20in%20(x,y)") == "ab");
  CHECK(names("labelSelector=tier%20notin%20(x)") == "bc");
  CHECK(names("labelSelector=tier,also%3D1") == "b");
  CHECK(names("fieldSelector=metadata.name%3Db") == "b");
  CHECK(world.call("GET", "?fieldSelector=spec.holderIdentity%3Dx").status == 400);
}

TEST_CASE("discovery lists what is served, and 404 what is not") {
  World world;
  const auto get = [&](const std::string& path) { return world.cluster.call("sweeper", "GET", path); };
  CHECK(get("/apis/longhorn.io/v1beta2").json()["resources"][0]["name"] == "snapshots");
  CHECK(get("/apis/subresources.kubevirt.io/v1").status == 200);
  world.cluster.locked([&] { world.cluster.store().resources().serve("longhorn.io", "snapshots", false); });
  CHECK(get("/apis/longhorn.io/v1beta2").status == 404);
  CHECK(get("/apis/longhorn.io/v1beta2/snapshots").status == 404);
  CHECK(get("/apis/none.example.com/v1").status == 404);
}

TEST_CASE("access reviews and calls follow one table") {
  World world;
  const Denial denial{"tenant", "update", "subresources.kubevirt.io", "virtualmachineinstances/freeze", "vms", ""};
  world.cluster.locked([&] { world.cluster.access().deny(denial); });
  const auto allowed = [&](const std::string& user) {
    const Reply reply = world.cluster.call("webhook", "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                                           {{"apiVersion", "authorization.k8s.io/v1"},
                                            {"kind", "SubjectAccessReview"},
                                            {"spec",
                                             {{"user", user},
                                              {"resourceAttributes",
                                               {{"verb", "update"},
                                                {"group", "subresources.kubevirt.io"},
                                                {"resource", "virtualmachineinstances"},
                                                {"subresource", "freeze"},
                                                {"namespace", "vms"},
                                                {"name", "vm1"}}}}}});
    CHECK(reply.status == 201);
    return reply.json()["status"]["allowed"].get<bool>();
  };
  CHECK_FALSE(allowed("tenant"));
  CHECK(allowed("admin"));
  CHECK(world.freeze("5s", "tenant").status == 403);
  CHECK(world.freeze("5s", "admin").status == 202);
}
