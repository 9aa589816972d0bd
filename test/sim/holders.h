// Who could write a disk, and when: what really was, not what the API says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "test/double/truth.h"

namespace sim {

struct Holder {
  std::string by;  // "vm namespace/name", "pod namespace/name"
  cluster::Mono from;
  cluster::Mono until = cluster::kNever;
};

using Holders = std::map<std::string, std::vector<Holder>>;  // by claim, "namespace/name"

// The caller holds the runtime's lock, or no fiber runs beside it.
[[nodiscard]] Holders holders_of(const cluster::Truth& truth);

}  // namespace sim
