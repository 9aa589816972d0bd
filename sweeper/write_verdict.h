// Writes verdicts onto objects.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "freeze/verdict.h"
#include "kube/api.h"
#include "kube/paths.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

// The object that a verdict or an Event is about. `uid` must match; otherwise it is another object of the same name.
struct Target {
  const kube::Resource* resource = nullptr;
  std::string namespace_;
  std::string name;
  std::string uid;
};

struct VerdictFor {
  Target target;
  freeze::Verdict verdict;
  std::optional<Millis> frozen_for;
};

enum class Written {
  kYes,
  kGone,     // there is no such object any more
  kRefused,  // for good, by permission or by somebody's policy: a retry helps only when that changes
  kFailed,   // a retry may succeed
};

// Side by side. The results are in the order of `verdicts`.
std::vector<Written> write_verdicts(const Seams& seams, std::span<const VerdictFor> verdicts);

}  // namespace snapfreeze::sweeper
