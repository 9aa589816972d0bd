#include "kube/discovery.h"

#include "test/support/catch.h"
#include "test/unit/kube/fake_api.h"

namespace snapfreeze::kube {
namespace {

constexpr char kGroup[] = R"({"preferredVersion": {"version": "v1beta1"},
    "versions": [{"version": "v1alpha1"}, {"version": "v1beta1"}]})";
constexpr char kWith[] = R"({"resources": [{"name": "other"}, {"name": "virtualmachinebackups"}]})";
constexpr char kWithout[] = R"({"resources": [{"name": "virtualmachinebackups/status"}]})";

TEST_CASE("the version served is the preferred one that has the kind") {
  FakeApi api;
  api.replies = {reply_of(200, kGroup), reply_of(200, kWith)};
  CHECK(served_version(api, kKubeVirtBackups).value() == "v1beta1");
  CHECK(api.requests[0].target == "/apis/backup.kubevirt.io");
  CHECK(api.requests[1].target == "/apis/backup.kubevirt.io/v1beta1");
}

TEST_CASE("a version without the kind, or one that is gone, is passed over") {
  FakeApi api;
  api.replies = {reply_of(200, kGroup), reply_of(200, kWithout), reply_of(200, kWith),
                 reply_of(200, kGroup), reply_of(404, "{}"),     reply_of(200, kWith)};
  CHECK(served_version(api, kKubeVirtBackups).value() == "v1alpha1");
  CHECK(served_version(api, kKubeVirtBackups).value() == "v1alpha1");
}

TEST_CASE("a kind is not served only if discovery says so") {
  FakeApi api;
  api.replies = {reply_of(404, "{}"), reply_of(200, kGroup), reply_of(200, kWithout), reply_of(200, kWithout)};
  CHECK(served_version(api, kKubeVirtBackups).value() == std::nullopt);
  CHECK(served_version(api, kKubeVirtBackups).value() == std::nullopt);
  api.replies = {reply_of(503, "{}"), reply_of(200, kGroup), reply_of(403, "{}")};
  CHECK(served_version(api, kKubeVirtBackups).error().code == Code::kTransient);
  CHECK(served_version(api, kKubeVirtBackups).error().code == Code::kForbidden);
}

}  // namespace
}  // namespace snapfreeze::kube
