// What `check` finds: one line each, with the remedy. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "cli/reach.h"
#include "cli/rights.h"
#include "freeze/guest.h"

namespace snapfreeze::cli {

struct Finding {
  enum class Level {
    kGood,
    kUnknown,  // we may not look
    kWarning,  // some backups will not be consistent
    kError,    // none will
  };
  Level level = Level::kGood;
  std::string about;
  std::string says;
  std::string remedy = {};
};

// A guest that runs. `info` is KubeVirt's guestosinfo, which lists the commands that the agent takes.
struct GuestFacts {
  kube::VmiView vmi;
  std::optional<Json> info;
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
  Result<Json> backups = Error{};
  Result<Json> vmis = Error{};
  std::map<std::string, Json> guest_infos;  // by "namespace/name"
  std::vector<AccessFacts> access;
};

// Whether the Lease alone leaves a doubt: another machine's clock may have written its times.
[[nodiscard]] bool leader_is_doubtful(const Result<Json>& lease, Wall now);

[[nodiscard]] std::vector<Finding> check_installation(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_cluster(const CheckFacts& facts);
[[nodiscard]] std::vector<Finding> check_access(const std::vector<AccessFacts>& access);
[[nodiscard]] std::vector<Finding> check_guests(const std::vector<GuestFacts>& guests);

// The reply to a VolumeSnapshot made with dryRun=All, labelled as somebody's backup.
[[nodiscard]] Finding check_dry_run(const Result<Json>& reply);

[[nodiscard]] bool has_error(const std::vector<Finding>& findings);
[[nodiscard]] std::string to_text(const std::vector<Finding>& findings, bool colours);
[[nodiscard]] Json to_json(const std::vector<Finding>& findings);

}  // namespace snapfreeze::cli
