// Leader election on one Lease, by client-go's rules. A leader renews every 2 s, and steps down when that has failed
// for 10 s. Another one takes over when the Lease has not changed for 15 s by its own monotonic clock. Each step makes
// one attempt, so that a simulation can stall it anywhere.
#pragma once

#include <atomic>
#include <limits>
#include <optional>
#include <string>

#include "kube/api.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

class Elector : public Leadership {
 public:
  static constexpr std::chrono::seconds kLeaseDuration{15};
  static constexpr std::chrono::seconds kRenewDeadline{10};
  static constexpr std::chrono::seconds kRetryPeriod{2};

  // `identity` is unique to the process. The API and the clock outlive it.
  Elector(kube::KubeApi& api, Clock& clock, std::string own_namespace, std::string identity);

  // Makes one attempt to get or keep the leadership, in at most two calls. Returns how long to wait before the next.
  // One thread.
  Millis step();

  // From now on leads_for() always says no. Any thread.
  void resign();

  // Gives the leadership back at once. Nothing that needs it may be under way. One thread, instead of step().
  void release();

  // Rests on the Lease as it was when the last renewal was sent: nobody can have taken over before that time + 15 s.
  // Any thread.
  [[nodiscard]] bool leads_for(Millis duration) const override;
  // Nobody else can lead before then. Mono::min(): we do not lead. Any thread.
  [[nodiscard]] Mono leads_until() const;

 private:
  struct Seen {
    std::string uid;
    std::string resource_version;
    std::string holder;
    std::int64_t transitions = 0;
    Mono at{};  // when it was first seen like this
  };

  void read();
  void create();
  void acquire();
  void renew();
  Result<void> write(const Json& spec, Mono sent);
  void see(const Json& lease, Mono now);
  void lead_since(Mono sent);
  void stop_leading();

  kube::KubeApi& api_;
  Clock& clock_;
  const std::string namespace_;
  const std::string identity_;
  std::optional<Seen> seen_;
  bool leading_ = false;
  static constexpr Mono::rep kNever = std::numeric_limits<Mono::rep>::min();
  std::atomic<Mono::rep> renewed_{kNever};  // when the last renewal was sent
  std::atomic<bool> resigned_{false};
};

}  // namespace snapfreeze::sweeper
