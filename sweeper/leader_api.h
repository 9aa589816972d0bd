// The API as a leader may use it: what changes anything leaves only while nobody else can lead. A leader that was
// stopped between its last look at its leadership and its next call cannot send that call, minutes later, into the work
// of its successor. A request that says itself until when it may leave is left alone.
#pragma once

#include "kube/api.h"
#include "sweeper/elector.h"

namespace snapfreeze::sweeper {

// As thread-safe as `api`. Both outlive it.
class LeaderApi : public kube::KubeApi {
 public:
  LeaderApi(kube::KubeApi& api, const Elector& elector) : api_(api), elector_(elector) {}

  Result<kube::Response> call(const kube::Request& request) override;
  std::vector<Result<kube::Response>> call_all(std::span<const kube::Request> requests) override;
  Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override;

 private:
  [[nodiscard]] kube::Request bounded(const kube::Request& request) const;

  kube::KubeApi& api_;
  const Elector& elector_;
};

}  // namespace snapfreeze::sweeper
