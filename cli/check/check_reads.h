// What `check` reads from the API server.
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
  std::string connect;  // HOST:PORT of a webhook; "": its certificate is not checked
};

// Makes some 80 calls, eight side by side, with VMs and backups in pages, and one call for each of at most 500 running
// guests. If a backup is in error, it also lists the names of all snapshots. An Error only when the API server does not
// answer. If the leader's Lease looks old, waits 6 s to see whether it is renewed.
Result<CheckFacts> read_check(kube::KubeApi& api, Clock& clock, const CheckScope& scope);

// The findings for one VM, by the webhook's own decision and by who else freezes it or uses its disks: five calls, and
// seven lists in pages. kNotFound: there is no such VM.
Result<std::vector<Finding>> read_foretold(kube::KubeApi& api, Clock& clock, const Home& home, const std::string& ns,
                                           const std::string& vm);

// Creates a VolumeSnapshot in that namespace with dryRun=All. Nothing is stored, and nothing is frozen.
[[nodiscard]] Finding try_dry_run(kube::KubeApi& api, const std::string& ns);

}  // namespace snapfreeze::cli
