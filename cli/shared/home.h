// Where snapfreeze keeps its sessions.
#pragma once

#include <string>

#include "base/result.h"
#include "kube/api.h"

namespace snapfreeze::cli {

struct Home {
  enum class Known {
    kTold,        // by an option
    kRegistered,  // the registration of the webhook says so
    kAbsent,      // there is no such registration: the usual namespace is assumed
    kUnreadable,  // we may not look: the usual namespace is assumed
  };
  std::string namespace_;
  Known known = Known::kTold;
};

inline constexpr char kRegistrationName[] = "snapfreeze";
inline constexpr char kUsualNamespace[] = "snapfreeze-system";

// Makes one call, unless `told` names it. An Error only if the API server did not answer, or does not know who we are.
Result<Home> find_home(kube::KubeApi& api, const std::string& told);

}  // namespace snapfreeze::cli
