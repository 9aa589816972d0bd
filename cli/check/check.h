// The findings of `check`: one line each, with the remedy. Pure.
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
    kUnknown,  // it could not be checked, or we may not
    kWarning,  // some backups will not be consistent
    kError,    // no backup will be
  };
  Level level = Level::kGood;
  std::string about;
  std::string says;
  std::string remedy = {};
};

// Whether the guest agent accepts the command to freeze, by KubeVirt's guestosinfo; nullopt: it does not say.
[[nodiscard]] std::optional<bool> takes_freeze(const Json& guestosinfo);

// A running guest.
struct GuestFacts {
  kube::VmiView vmi;
  std::optional<bool> takes_freeze;  // nullopt: not known
};

// Which rights an account has, or why that could not be checked.
struct AccessFacts {
  std::string who;
  std::vector<std::pair<Right, Result<bool>>> answers;
};

// The leader's Lease, read again a few seconds later if the first reading left doubts.
struct LeaderFacts {
  Result<Json> first = Error{};
  std::optional<Result<Json>> second;
};

// The facts as they were read, errors included.
struct CheckFacts {
  Wall now;  // the API server's clock
  Home home;
  Result<Json> version = Error{};
  Result<Json> registration = Error{};
  Result<Json> serving_secret = Error{};
  std::optional<Result<std::string>> served;  // the certificate, in PEM, of the webhook that --connect names
  LeaderFacts leader;
  Result<Json> kubevirts = Error{};
  Result<Json> harvester_version = Error{};
  Result<Json> longhorn = Error{Code::kNotFound, "not asked", 404};  // what its REST API says of itself
  Result<std::vector<kube::BackupView>> backups = Error{};
  Result<std::vector<kube::VmiView>> vmis = Error{};
  // Which snapshots exist, by "namespace/name". Read only when a backup is in error.
  Result<std::set<std::string>> snapshots = std::set<std::string>{};
  std::map<std::string, std::optional<bool>> takes_freeze;  // by "namespace/name"
  std::vector<std::string> unseen_agents;                   // why not all agents could be asked
  std::vector<AccessFacts> access;
};

// Whether the Lease alone leaves a doubt. Its times may come from another machine's clock.
[[nodiscard]] bool leader_is_doubtful(const Result<Json>& lease, Wall now);

[[nodiscard]] std::vector<Finding> check_installation(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_cluster(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_access(const std::vector<AccessFacts>& access);
[[nodiscard]] std::vector<Finding> check_guests(const std::vector<GuestFacts>& guests);
// All findings about the VMs, including what could not be read, and which VMs share a disk.
[[nodiscard]] std::vector<Finding> check_vms(const CheckFacts& facts);
// The running guests.
[[nodiscard]] std::vector<GuestFacts> guests_of(const CheckFacts& facts);

// Judges the reply to a labelled VolumeSnapshot that was made with dryRun=All.
[[nodiscard]] Finding check_dry_run(const Result<Json>& reply);

[[nodiscard]] bool has(const std::vector<Finding>& findings, Finding::Level level);
[[nodiscard]] std::string to_text(const std::vector<Finding>& findings, bool colours);
[[nodiscard]] Json to_json(const std::vector<Finding>& findings);

}  // namespace snapfreeze::cli
