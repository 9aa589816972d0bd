// What `check` has read, before it is judged.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "cli/check/findings.h"
#include "cli/check/rights.h"
#include "cli/shared/reach.h"
#include "freeze/guest.h"

namespace snapfreeze::cli {

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

}  // namespace snapfreeze::cli
