// One look at the cluster for status, check and explain. It is bounded as a whole, however large or slow the cluster
// is, and finds each kind in whichever version the server has it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "kube/api.h"

namespace snapfreeze::cli {

inline constexpr Millis kLookPatience{60000};

// The KubeApi of one look. Not thread-safe.
//
// Time: no call ends later than `patience` after construction. A call that would begin later is not made, and is
// kTransient.
//
// Versions: if a GET is answered 404, the server may have the kind in another version by now. So discovery is asked,
// once for each kind, and the call is repeated with the version that is served. If discovery fails, its error is the
// reply, since a 404 would say that there is nothing. The core group has one version, so discovery is not asked.
class Look final : public kube::KubeApi {
 public:
  Look(kube::KubeApi& api, Clock& clock, Millis patience = kLookPatience)
      : api_(api), clock_(clock), patience_(patience), end_(clock.monotonic() + patience) {}

  Result<kube::Response> call(const kube::Request& request) override;
  // In batches, each of which has the whole time-out of its requests.
  std::vector<Result<kube::Response>> call_all(std::span<const kube::Request> requests) override;
  // Always an Error: a watch never ends.
  Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override;

 private:
  using Version = Result<std::optional<std::string>>;

  Millis time_left() const;
  void bound(kube::Request& request, Millis left) const;
  Error too_late() const;
  std::vector<Result<kube::Response>> send(std::span<const kube::Request> requests);
  const Version& version_of(const std::string& group, const std::string& plural);
  // The request for the version in which the kind is served; nullopt: it is not served.
  Result<std::optional<kube::Request>> elsewhere(const kube::Request& request);

  kube::KubeApi& api_;
  Clock& clock_;
  const Millis patience_;
  const Mono end_;
  std::map<std::pair<std::string, std::string>, Version> versions_;  // by group and plural
};

}  // namespace snapfreeze::cli
