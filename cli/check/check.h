// What `check` finds: one line each, with the remedy. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "cli/check/rights.h"
#include "cli/shared/reach.h"
#include "freeze/guest.h"

namespace snapfreeze::cli {

struct Finding {
  enum class Level {
    kGood,
    kUnknown,  // it may not, or cannot, be looked at
    kWarning,  // some backups will not be consistent
    kError,    // none will
  };
  Level level = Level::kGood;
  std::string about;
  std::string says;
  std::string remedy = {};
};

// Whether the guest agent takes the command to freeze, as KubeVirt's guestosinfo lists them; nullopt: it does not say.
[[nodiscard]] std::optional<bool> takes_freeze(const Json& guestosinfo);

// A guest that runs.
struct GuestFacts {
  kube::VmiView vmi;
  std::optional<bool> takes_freeze;  // nullopt: not known
};

// Who may do what, or why it could not be asked.
struct AccessFacts {
  std::string who;
  std::vector<std::pair<Right, Result<bool>>> answers;
};

// The leader's Lease, read a second time a few seconds later when the first one left doubts.
struct LeaderFacts {
  Result<Json> first = Error{};
  std::optional<Result<Json>> second;
};

// As read, errors included.
struct CheckFacts {
  Wall now;  // the API server's clock
  Home home;
  Result<Json> version = Error{};
  Result<Json> registration = Error{};
  Result<Json> serving_secret = Error{};
  std::optional<Result<std::string>> served;  // the certificate, in PEM, of whom --connect names
  LeaderFacts leader;
  Result<Json> kubevirts = Error{};
  Result<Json> harvester_version = Error{};
  Result<std::vector<kube::BackupView>> backups = Error{};
  Result<std::vector<kube::VmiView>> vmis = Error{};
  // Which snapshots exist, by "namespace/name". Read only when a backup is in error.
  Result<std::set<std::string>> snapshots = std::set<std::string>{};
  std::map<std::string, std::optional<bool>> takes_freeze;  // by "namespace/name"
  std::vector<std::string> unseen_agents;                   // why not all agents could be asked
  std::vector<AccessFacts> access;
};

// Whether the Lease alone leaves a doubt: another machine's clock may have written its times.
[[nodiscard]] bool leader_is_doubtful(const Result<Json>& lease, Wall now);

[[nodiscard]] std::vector<Finding> check_installation(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_cluster(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_access(const std::vector<AccessFacts>& access);
[[nodiscard]] std::vector<Finding> check_guests(const std::vector<GuestFacts>& guests);
// All that there is to say of the VMs: also why it cannot be said, and which of them share a disk.
[[nodiscard]] std::vector<Finding> check_vms(const CheckFacts& facts);
// The guests that run.
[[nodiscard]] std::vector<GuestFacts> guests_of(const CheckFacts& facts);

// The reply to a VolumeSnapshot made with dryRun=All, labelled as somebody's backup.
[[nodiscard]] Finding check_dry_run(const Result<Json>& reply);

[[nodiscard]] bool has(const std::vector<Finding>& findings, Finding::Level level);
[[nodiscard]] std::string to_text(const std::vector<Finding>& findings, bool colours);
[[nodiscard]] Json to_json(const std::vector<Finding>& findings);

}  // namespace snapfreeze::cli
