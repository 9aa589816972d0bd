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

// By claim, "namespace/name". The caller holds the runtime's lock, or no fiber runs beside it.
[[nodiscard]] std::map<std::string, std::vector<Holder>> holders_of(const cluster::Truth& truth);

}  // namespace sim
