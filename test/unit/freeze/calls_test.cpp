#include "freeze/calls.h"

#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using freeze::FreezeOutcome;
using freeze::ThawOutcome;

namespace {

// virt-api, as far as one reply goes. Status 0: none comes.
class OneReply : public kube::KubeApi {
 public:
  OneReply(int status, std::string body) : status_(status), body_(std::move(body)) {}

  Result<kube::Response> call(const kube::Request& request) override {
    seen = request;
    if (status_ == 0) return Error{Code::kTransient, "timed out", 0};
    kube::Response response;
    response.status = status_;
    response.body = body_;
    return response;
  }
  Result<void> stream(const kube::Request&, Millis, const kube::LineSink&) override { return {}; }

  kube::Request seen;

 private:
  const int status_;
  const std::string body_;
};

std::string status_object(std::string_view message) {
  return R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":")" + std::string(message) + "\"}";
}

FreezeOutcome freeze_outcome(int status) {
  OneReply api(status, status_object("no"));
  return freeze::freeze(api, "ns", "vm", 30s).outcome;
}

ThawOutcome thaw_outcome(int status, std::string_view message = "no") {
  OneReply api(status, status_object(message));
  return freeze::unfreeze(api, "ns", "vm").outcome;
}

}  // namespace

TEST_CASE("freeze asks virt-api for whole seconds") {
  OneReply api(202, "");
  CHECK(freeze::freeze(api, "ns", "vm", 30s, 4s).outcome == FreezeOutcome::kFrozen);
  CHECK(api.seen.method == kube::Method::kPut);
  CHECK(api.seen.target == "/apis/subresources.kubevirt.io/v1/namespaces/ns/virtualmachineinstances/vm/freeze");
  CHECK(api.seen.body == R"({"unfreezeTimeout":"30s"})");
  CHECK(api.seen.timeout == Millis(4000));
}

TEST_CASE("unfreeze sends no body") {
  OneReply api(202, "");
  CHECK(freeze::unfreeze(api, "ns", "vm").outcome == ThawOutcome::kThawed);
  CHECK(api.seen.target == "/apis/subresources.kubevirt.io/v1/namespaces/ns/virtualmachineinstances/vm/unfreeze");
  CHECK(api.seen.body.empty());
}

TEST_CASE("a 4xx says that nothing was done") {
  const int status = GENERATE(400, 401, 403, 404, 409);
  CAPTURE(status);
  CHECK(freeze_outcome(status) == FreezeOutcome::kRefused);
  CHECK(thaw_outcome(status) == ThawOutcome::kRefused);
}

TEST_CASE("no reply, a failure, and what comes from the way there leave it open") {
  const int status = GENERATE(0, 408, 429, 500, 502, 503, 504);
  CAPTURE(status);
  CHECK(freeze_outcome(status) == FreezeOutcome::kUnknown);
  CHECK(thaw_outcome(status) == ThawOutcome::kUnknown);
}

TEST_CASE("VSS's limit on Windows is a final answer: thawed, and not consistent") {
  CHECK(thaw_outcome(500, "Command unfreeze failed: guest-fsfreeze-thaw: fsfreeze is limited up to 10 seconds") ==
        ThawOutcome::kLapsed);
}

TEST_CASE("an answer carries the message and the status") {
  OneReply api(409, status_object("VMI is not running"));
  const auto answer = freeze::freeze(api, "ns", "vm", 30s);
  CHECK(answer.http_status == 409);
  CHECK(answer.message.find("VMI is not running") != std::string::npos);
}
