#include "kube/rest.h"

#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/kube/fake_api.h"

namespace snapfreeze::kube::rest_test {
namespace {

Code code_for(int status) {
  return error_of(status, "").code;
}

TEST_CASE("Each status has the code that a caller branches on") {
  CHECK(code_for(401) == Code::kForbidden);
  CHECK(code_for(403) == Code::kForbidden);
  CHECK(code_for(404) == Code::kNotFound);
  CHECK(code_for(409) == Code::kConflict);
  CHECK(code_for(410) == Code::kGone);
  CHECK(code_for(400) == Code::kMalformed);
  CHECK(code_for(422) == Code::kMalformed);
  CHECK(code_for(408) == Code::kTransient);
  CHECK(code_for(429) == Code::kTransient);
  CHECK(code_for(500) == Code::kTransient);
  CHECK(code_for(504) == Code::kTransient);
  CHECK(code_for(302) == Code::kTransient);
}

TEST_CASE("An error has the message of the Status") {
  const Error error = error_of(409, R"({"kind":"Status","message":"leases \"a\" already exists","code":409})");
  CHECK(error.message == "HTTP 409: leases \"a\" already exists");
  CHECK(error.http_status == 409);
}

TEST_CASE("An error without a Status has the text of the reply, cut") {
  CHECK(error_of(502, "Bad Gateway").message == "HTTP 502: Bad Gateway");
  CHECK(error_of(502, "").message == "HTTP 502");
  CHECK(error_of(502, std::string(10'000, 'x')).message.size() < 600);
}

TEST_CASE("No reply is an error without a status") {
  FakeApi api;
  api.replies.push_back(Error{Code::kTransient, "timed out"});
  const auto object = get(api, "/x");
  REQUIRE_FALSE(object.ok());
  CHECK(object.error().code == Code::kTransient);
  CHECK(object.error().http_status == 0);
}

TEST_CASE("A success that is no object is transient and keeps its status") {
  FakeApi api;
  api.replies.push_back(reply_of(200, "<html>"));
  const auto object = get(api, "/x");
  REQUIRE_FALSE(object.ok());
  CHECK(object.error().code == Code::kTransient);
  CHECK(object.error().http_status == 200);
}

TEST_CASE("Create posts the object and returns the stored one") {
  FakeApi api;
  api.replies.push_back(reply_of(201, R"({"metadata":{"uid":"u1"}})"));
  const auto stored = create(api, "/things", Json::object({{"a", 1}}));
  REQUIRE(stored.ok());
  CHECK((*stored)["metadata"]["uid"].string() == "u1");
  CHECK(api.requests[0].method == Method::kPost);
  CHECK(api.requests[0].body == R"({"a":1})");
  CHECK(api.requests[0].content_type == "application/json");
}

TEST_CASE("A merge patch says so in its content type") {
  FakeApi api;
  api.replies.push_back(reply_of(200, "{}"));
  REQUIRE(merge_patch(api, "/things/a", Json::object({{"a", nullptr}})).ok());
  CHECK(api.requests[0].method == Method::kPatch);
  CHECK(api.requests[0].body == R"({"a":null})");
  CHECK(api.requests[0].content_type == "application/merge-patch+json");
}

TEST_CASE("Remove sends only the preconditions that were asked") {
  FakeApi api;
  for (int i = 0; i < 3; ++i) api.replies.push_back(reply_of(200, "{}"));
  REQUIRE(remove(api, "/things/a").ok());
  CHECK(api.requests[0].body.empty());
  REQUIRE(remove(api, "/things/a", {"u1", ""}).ok());
  CHECK(api.requests[1].body == R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u1"}})");
  REQUIRE(remove(api, "/things/a", {"u1", "7"}).ok());
  CHECK(api.requests[2].body ==
        R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u1","resourceVersion":"7"}})");
}

TEST_CASE("An action succeeds without a body in its reply") {
  FakeApi api;
  api.replies.push_back(reply_of(202, ""));
  CHECK(invoke(api, "/freeze", Json::object({{"unfreezeTimeout", "30s"}}), Millis(1000)).ok());
  CHECK(api.requests[0].method == Method::kPut);
  CHECK(api.requests[0].body == R"({"unfreezeTimeout":"30s"})");
  CHECK(api.requests[0].timeout == Millis(1000));
}

TEST_CASE("An action without a body sends none") {
  FakeApi api;
  api.replies.push_back(reply_of(409, "VM is not running"));
  const auto done = invoke(api, "/unfreeze", {}, Millis(1000));
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == Code::kConflict);
  CHECK(api.requests[0].body.empty());
  CHECK(api.requests[0].content_type.empty());
}

TEST_CASE("Paths name group, version, namespace and object") {
  CHECK(collection_path(kSecrets, "ns") == "/api/v1/namespaces/ns/secrets");
  CHECK(collection_path(kVolumeSnapshotContents, "ns") == "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents");
  CHECK(labelled_path(kLeases, "ns", "a/b=c") ==
        "/apis/coordination.k8s.io/v1/namespaces/ns/leases?labelSelector=a%2Fb%3Dc");
  CHECK(collection_path(kHarvesterBackups) == "/apis/harvesterhci.io/v1beta1/virtualmachinebackups");
  CHECK(object_path(kGuestCalls, "ns", "vm", "freeze") ==
        "/apis/subresources.kubevirt.io/v1/namespaces/ns/virtualmachineinstances/vm/freeze");
  CHECK(api_version(kLeases) == "coordination.k8s.io/v1");
  CHECK(api_version(kSecrets) == "v1");
}

TEST_CASE("No name can leave its path segment") {
  CHECK(object_path(kSecrets, "a/b", "../c?d#e") == "/api/v1/namespaces/a%2Fb/secrets/..%2Fc%3Fd%23e");
  CHECK(percent_encode("a=b,c!=\xC3\xA9") == "a%3Db%2Cc%21%3D%C3%A9");
}

}  // namespace
}  // namespace snapfreeze::kube::rest_test
