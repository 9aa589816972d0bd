// What `check` asks the API server.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/check/check.h"
#include "kube/api.h"

namespace snapfreeze::cli {

struct CheckScope {
  std::string namespace_;  // of the VMs; "": all
  Home home;
  std::string webhook_account = "snapfreeze-webhook";
  std::string sweeper_account = "snapfreeze-sweeper";
  std::string connect;  // HOST:PORT of a webhook; "": what it serves is not looked at
};

// Some 80 calls, eight side by side, VMs and backups in pages, and one for each guest that runs, of which 500 are asked
// at most. When a backup is in error, the names of all snapshots are listed, too. An Error only when the API server
// does not answer. When the leader's Lease looks old, waits to see whether it is renewed: 6 s.
Result<CheckFacts> read_check(kube::KubeApi& api, Clock& clock, const CheckScope& scope);

// Of the VM alone, by the webhook's own decision, and who else freezes it or uses its disks: five calls, and seven
// lists in pages. kNotFound: there is no such VM.
Result<std::vector<Finding>> read_foretold(kube::KubeApi& api, Clock& clock, const Home& home, const std::string& ns,
                                           const std::string& vm);

// A VolumeSnapshot of that namespace, with dryRun=All: nothing is stored, nothing is frozen.
[[nodiscard]] Finding try_dry_run(kube::KubeApi& api, const std::string& ns);

}  // namespace snapfreeze::cli
