// What `status` reads from the API server.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/status/status.h"
#include "kube/api.h"

namespace snapfreeze::cli {

// KubeVirt checks every 5 s whether a guest is frozen. For this long it may report a thawed guest as frozen.
inline constexpr Millis kFreezeStatusIsOld{6000};

// Reads the cluster each time that it is asked to. Between readings, it remembers which guests report that they are
// frozen, and who has spoiled a verdict, so that it need not search again.
class StatusReader {
 public:
  // `ns`: of the VMs; "": all.
  StatusReader(std::string ns, std::string system_namespace, std::size_t most_backups)
      : namespace_(std::move(ns)), system_namespace_(std::move(system_namespace)), most_backups_(most_backups) {}

  // Makes four lists in pages and one call, one more list for every fifty sessions, two calls for each of their
  // snapshots that is not captured yet, and one for each guest that is frozen without a session. If a reason points at
  // somebody else, also the lists of read_others(), once for each such backup. An Error when the backups cannot be
  // read. The facts name everything else that could not be read: a user who may see backups may not be allowed to see
  // our own namespace.
  Result<StatusFacts> read(kube::KubeApi& api, Clock& clock);

  // Whether the last reading found guests that report that they are frozen without a session, and that may turn out to
  // be thawed.
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
