#include "test/sim/holders.h"

namespace sim {

std::map<std::string, std::vector<Holder>> holders_of(const cluster::Truth& truth) {
  std::map<std::string, std::vector<Holder>> holders;
  for (const auto& entry : truth.timeline()) {
    if (entry.kind == "hold") holders[entry.object].push_back({entry.detail, entry.at});
    if (entry.kind != "let-go") continue;
    for (Holder& holder : holders[entry.object]) {
      if (holder.by == entry.detail && holder.until == cluster::kNever) holder.until = entry.at;
    }
  }
  return holders;
}

}  // namespace sim
