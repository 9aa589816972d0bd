// The API as a leader may use it: a request that changes anything is sent only while nobody else can lead. So a leader
// that was stopped after it last checked its leadership cannot send its next call, minutes later, into the work of its
// successor. A request that has its own `send_by` is left alone.
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
