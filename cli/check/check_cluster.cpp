#include "cli/check/check_cluster.h"

#include <charconv>

#include "cli/check/check_harvester.h"
#include "cli/check/check_longhorn.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;

// Measured on KubeVirt 1.6 to 1.9.
constexpr int kOldestKubeVirt = 6;
constexpr int kNewestKubeVirt = 9;

// "v1.7.0" is 7; nullopt for any other major version, or none.
std::optional<int> minor_of_version_1(std::string_view version) {
  if (!version.starts_with("v1.")) return std::nullopt;
  int minor = 0;
  const auto parsed = std::from_chars(version.data() + 3, version.data() + version.size(), minor);
  return parsed.ec == std::errc{} ? std::optional<int>(minor) : std::nullopt;
}

Finding check_kubevirt(const Result<Json>& kubevirts) {
  const std::string about = "KubeVirt";
  if (!kubevirts) {
    if (kubevirts.error().code != Code::kNotFound) {
      return {Level::kUnknown, about, "not known: " + kubevirts.error().message};
    }
    return {Level::kError, about, "is not installed: there is no guest to freeze", "install KubeVirt or Harvester"};
  }
  const auto& items = (*kubevirts)["items"].items();
  const std::string version = items.empty() ? "" : items.front()["status"]["observedKubeVirtVersion"].string();
  if (version.empty()) return {Level::kWarning, about, "does not say which version it is", "look at its operator"};
  const auto minor = minor_of_version_1(version);
  if (minor && *minor >= kOldestKubeVirt && *minor <= kNewestKubeVirt) return {Level::kGood, about, version};
  return {Level::kWarning, about, version + ": snapfreeze relies on how 1.6 to 1.9 freeze and thaw",
          "take a test backup, and compare its verdict with what the guest's log says"};
}

}  // namespace

std::vector<Finding> check_cluster(const CheckFacts& facts) {
  std::vector<Finding> findings;
  if (facts.version) {
    findings.push_back({Level::kGood, "API server", (*facts.version)["gitVersion"].string()});
  } else {
    findings.push_back({Level::kUnknown, "API server", "version not known: " + facts.version.error().message});
  }
  findings.push_back(check_kubevirt(facts.kubevirts));
  check_harvester(facts, findings);
  check_longhorn(facts, findings);
  return findings;
}

std::vector<Finding> check_access(const std::vector<AccessFacts>& access) {
  std::vector<Finding> findings;
  for (const AccessFacts& facts : access) {
    const bool ours = facts.who != "yours";
    const std::string about = ours ? "rights of " + facts.who : "your rights";
    int granted = 0;
    const Error* refusal = nullptr;
    for (const auto& [right, allowed] : facts.answers) {
      if (!allowed) {
        refusal = &allowed.error();
      } else if (*allowed) {
        ++granted;
      } else {
        findings.push_back({ours ? Level::kError : Level::kWarning, about, "may not " + to_string(right),
                            ours ? "install the chart's roles again" : "docs/command-line.md says what needs it"});
      }
    }
    if (refusal != nullptr) {
      findings.push_back({Level::kUnknown, about, "cannot be checked: " + refusal->message});
    } else if (granted == static_cast<int>(facts.answers.size())) {
      findings.push_back({Level::kGood, about, "all " + std::to_string(granted) + " that are needed"});
    }
  }
  return findings;
}

}  // namespace snapfreeze::cli
