// A cluster by hand, on which a sweeper leads, and what the commands read of it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "cli/explain/explain_reads.h"
#include "cli/shared/look.h"
#include "cli/status/status_reads.h"
#include "freeze/names.h"
#include "test/unit/cli/scripted_api.h"

namespace test {

inline constexpr char kHome[] = "snapfreeze-system";

// Passes when it is waited for.
class HandClock : public snapfreeze::Clock {
 public:
  [[nodiscard]] snapfreeze::Wall wall() const override { return snapfreeze::Wall(now_.time_since_epoch()); }
  [[nodiscard]] snapfreeze::Mono monotonic() const override { return now_; }
  bool wait_until(snapfreeze::Mono deadline) override {
    now_ = std::max(now_, deadline);
    return true;
  }

 private:
  snapfreeze::Mono now_{std::chrono::seconds(1795000000)};
};

struct ScriptedCluster {
  ScriptedCluster();

  snapfreeze::Result<snapfreeze::cli::StatusFacts> status(snapfreeze::cli::StatusReader& reader);
  snapfreeze::Result<snapfreeze::cli::StatusFacts> status();
  snapfreeze::Result<snapfreeze::cli::ExplainFacts> explained(const std::string& name);

  ScriptedApi api;
  HandClock clock;
};

// Has a backup that another one spoiled, and one whose disk a pod uses.
struct SpoiltCluster : ScriptedCluster {
  SpoiltCluster();
};

// One a line.
[[nodiscard]] std::string text_of(const std::vector<std::string>& lines);

}  // namespace test
