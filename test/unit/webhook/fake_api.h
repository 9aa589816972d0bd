// The least of an API server that an admission needs: objects by path, merge patches, permissions, one guest; faults by
// the number of the call, and a ledger of all calls.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "kube/api.h"
#include "test/unit/webhook/fake_clock.h"

namespace snapfreeze::test {

struct FakeFault {
  enum class Kind { kDropBefore, kDropAfter, kStatus, kHang };
  Kind kind = Kind::kDropBefore;
  int status = 500;
};

class FakeApi : public kube::KubeApi {
 public:
  explicit FakeApi(FakeClock& clock) : clock_(clock) {}

  Result<kube::Response> call(const kube::Request& request) override;
  // They take the time of the slowest only.
  std::vector<Result<kube::Response>> call_all(std::span<const kube::Request> requests) override;
  Result<void> stream(const kube::Request&, Millis, const kube::LineSink&) override {
    return Error{Code::kTransient, "no streams here"};
  }

  // "GET /apis/…", guest calls followed by the phase on record: "PUT /…/freeze {…} [Freezing]".
  std::vector<std::string> ledger;
  [[nodiscard]] int count(const std::string& part) const;  // calls whose line in the ledger contains it

  std::map<std::string, Json> objects;    // by path
  std::map<std::string, int> statuses;    // for a path, instead of what would be answered
  std::map<int, FakeFault> faults;        // by number of the call, from 1
  std::map<std::string, Millis> latency;  // by the path's last segment; else 2 ms
  Millis every_call{2};
  bool may_freeze = true;
  std::string may_freeze_only;  // that VM, if not ""
  // The process is stopped for so long just before the request to a path that ends so is sent; or after it was sent,
  // just before its reply is read.
  std::map<std::string, Millis> stopped_before, stopped_after;
  Json access_review;  // the last one asked

  bool frozen = false;
  std::string guest_error;                            // the answer to an unfreeze, as a 500; "" for success
  std::function<void(const kube::Request&)> on_call;  // before it is carried out

  // The session of the guest as it is on record, or null.
  [[nodiscard]] const Json& lease() const;
  void change_lease(const std::string& annotation, const std::string& value);  // somebody else does

 private:
  Result<kube::Response> answer(const kube::Request& request, Millis& took);
  void stop(const std::map<std::string, Millis>& stops, const std::string& target);
  kube::Response carry_out(const kube::Request& request);
  kube::Response list(const std::string& collection, const std::string& query) const;
  kube::Response create_lease(const Json& object);
  kube::Response patch(const std::string& path, const Json& changes);
  kube::Response call_guest(const kube::Request& request);

  FakeClock& clock_;
  int calls_ = 0;
  int created_ = 0;
  int version_ = 100;
};

}  // namespace snapfreeze::test
