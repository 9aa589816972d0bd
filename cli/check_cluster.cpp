// Is there around snapfreeze what it needs?
#include <algorithm>
#include <charconv>

#include "cli/check.h"
#include "cli/reasons.h"
#include "freeze/names.h"
#include "freeze/policy.h"
#include "kube/time.h"

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
  return {Level::kWarning, about, version + ": snapfreeze rests on how 1.6 to 1.9 freeze and thaw",
          "take a test backup, and compare its verdict with what the guest's log says"};
}

// Harvester's newest backup that names a freeze deadline: what its UI or its schedules send.
const Json* newest_with_deadline(const Json& backups) {
  const Json* newest = nullptr;
  for (const Json& backup : backups["items"].items()) {
    if (backup["spec"]["fsFreezeDeadline"].string().empty()) continue;
    // RFC 3339 in UTC: the order of the text is that of the time.
    const auto created = [](const Json& object) { return object["metadata"]["creationTimestamp"].string(); };
    if (newest == nullptr || created(backup) > created(*newest)) newest = &backup;
  }
  return newest;
}

void check_harvester(const CheckFacts& facts, std::vector<Finding>& findings) {
  const std::string about = "Harvester";
  if (facts.harvester_version) {
    findings.push_back({Level::kGood, about, (*facts.harvester_version)["value"].string()});
  } else if (facts.harvester_version.error().code == Code::kNotFound) {
    findings.push_back({Level::kGood, about, "is not installed: only labelled snapshots are frozen for"});
  }
  if (!facts.backups) return;
  const Json* const backup = newest_with_deadline(*facts.backups);
  if (backup == nullptr) return;
  const std::string& text = (*backup)["spec"]["fsFreezeDeadline"].string();
  const auto deadline = kube::parse_duration(text);
  const freeze::Policy policy;
  const bool short_one = deadline && deadline->count() > 0 && *deadline < policy.default_timer;
  if (!short_one) return;
  const auto timer = freeze::freeze_timer(policy, *deadline, false);
  findings.push_back({Level::kWarning, about,
                      "backups ask for a freeze of " + text + ", so that disks must be cut within " +
                          std::to_string(timer.count()) + "s",
                      "leave fsFreezeDeadline out (or 0) for up to " + std::to_string(policy.default_timer.count()) +
                          "s: the guest thaws at the last cut anyway"});
}

// nullopt: the agent does not say.
std::optional<bool> can_freeze(const Json& info) {
  const auto& commands = info["supportedCommands"].items();
  if (commands.empty()) return std::nullopt;
  return std::any_of(commands.begin(), commands.end(), [](const Json& command) {
    return command["name"].string() == "guest-fsfreeze-freeze" && command["enabled"].boolean();
  });
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
  return findings;
}

std::vector<Finding> check_access(const std::vector<AccessFacts>& access) {
  std::vector<Finding> findings;
  for (const AccessFacts& facts : access) {
    const std::string about = "rights of " + facts.who;
    int granted = 0;
    const Error* refusal = nullptr;
    for (const auto& [right, allowed] : facts.answers) {
      if (!allowed) {
        refusal = &allowed.error();
      } else if (*allowed) {
        ++granted;
      } else {
        const bool ours = facts.who != "yours";
        findings.push_back({ours ? Level::kError : Level::kWarning, about, "may not " + to_string(right),
                            ours ? "install the chart's roles again" : "see docs/command-line.md on what needs it"});
      }
    }
    if (refusal != nullptr) {
      findings.push_back({Level::kUnknown, about, "cannot be asked: " + refusal->message});
    } else if (granted == static_cast<int>(facts.answers.size())) {
      findings.push_back({Level::kGood, about, "all " + std::to_string(granted) + " that are needed"});
    }
  }
  return findings;
}

std::vector<Finding> check_guests(const std::vector<GuestFacts>& guests) {
  std::vector<Finding> findings;
  int good = 0;
  for (const GuestFacts& guest : guests) {
    const std::string about = "VM " + guest.vmi.metadata.namespace_ + "/" + guest.vmi.metadata.name;
    const auto why = freeze::reason_not_to_freeze(guest.vmi, std::nullopt);
    // What passes by itself is no finding; --vm tells it.
    const bool lasting = why == freeze::reason::kNoAgent || why == freeze::reason::kSkipped;
    if (lasting) {
      const bool wanted = why == freeze::reason::kSkipped;
      findings.push_back(
          {wanted ? Level::kGood : Level::kWarning, about, "its backups are crash: " + explain_reason(why)});
    } else if (guest.info && can_freeze(*guest.info) == false) {
      findings.push_back({Level::kWarning, about,
                          "its guest agent refuses to freeze (guest-fsfreeze-freeze is disabled)",
                          "allow it in the guest's qemu-ga configuration (block-rpcs, allow-rpcs)"});
    } else {
      ++good;
    }
  }
  findings.push_back(
      {Level::kGood, "VMs",
       std::to_string(good) + " of " + std::to_string(guests.size()) + " that run have an agent that can freeze"});
  return findings;
}

}  // namespace snapfreeze::cli
