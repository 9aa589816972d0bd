// What `status` asks the API server.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/status/status.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// KubeVirt looks every 5 s whether a guest is frozen. So for so long it may call one frozen that was thawed.
inline constexpr Millis kFreezeStatusIsOld{6000};

// Looks as often as it is asked to. Remembers from look to look which guests report that they are frozen, and who was
// found to have spoiled a verdict, which need not be looked for again.
class StatusReader {
 public:
  // `ns`: of the VMs; "": all.
  StatusReader(std::string ns, std::string system_namespace, std::size_t most_backups)
      : namespace_(std::move(ns)), system_namespace_(std::move(system_namespace)), most_backups_(most_backups) {}

  // Four lists in pages and one call; one list more for fifty sessions, two calls for each snapshot of theirs that is
  // not captured yet, and one for each guest that is frozen without a session. Where a reason points at somebody else,
  // what read_others() lists, once for each such backup. An Error when the backups cannot be read; what else cannot be
  // read is said in the facts: anyone who may see backups need not be allowed to see our own namespace.
  Result<StatusFacts> read(kube::KubeApi& api, Clock& clock);

  // Whether guests were seen, in the last look, that report that they are frozen, without a session, and may yet turn
  // out to be thawed.
  [[nodiscard]] bool doubtful() const { return doubtful_; }

 private:
  void look_for_unheld(kube::KubeApi& api, Mono now, StatusFacts& facts);
  void name_spoilers(kube::KubeApi& api, StatusFacts& facts);

  const std::string namespace_;
  const std::string system_namespace_;
  const std::size_t most_backups_;
  std::map<std::string, Mono> unheld_since_;                  // by the VMI's uid
  std::map<std::string, std::vector<std::string>> spoilers_;  // by the backup's key and reason
  bool doubtful_ = false;
};

}  // namespace snapfreeze::cli
