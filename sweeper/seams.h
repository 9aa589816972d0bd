// What the sweeper's logic calls: nothing else reaches out of the process or reads a clock.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/metrics.h"
#include "freeze/policy.h"
#include "freeze/session_store.h"
#include "kube/api.h"
#include "kube/server_time.h"
#include "sweeper/longhorn/api.h"
#include "sweeper/newest_listed.h"
#include "sweeper/served_versions.h"

namespace snapfreeze::sweeper {

class Leadership {
 public:
  virtual ~Leadership() = default;
  // Whether nobody else can lead within `duration` from now. Thread-safe.
  [[nodiscard]] virtual bool leads_for(Millis duration) const = 0;
};

// All of them thread-safe, and outlive whoever holds this.
struct Seams {
  kube::KubeApi& api;
  Clock& clock;
  const kube::ServerTime& server_time;  // fed by the replies of `api`
  freeze::SessionStore& sessions;       // on the same `api`
  const Leadership& leadership;
  Metrics& metrics;
  std::shared_ptr<ServedVersions> versions = std::make_shared<ServedVersions>();
  LonghornApi* longhorn = nullptr;  // nullptr: it is not asked
  std::shared_ptr<NewestListed> newest_listed = std::make_shared<NewestListed>();
};

// How this sweeper works, and who it is: `identity` is unique to the process, as it tells whose calls are under way.
struct Settings {
  std::string identity;
  freeze::Policy policy;
};

}  // namespace snapfreeze::sweeper
