// Are there guests whose backups cannot be consistent?
#include <algorithm>

#include "cli/check/check.h"
#include "cli/shared/reasons.h"
#include "freeze/names.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;

std::string name_of(const kube::VmiView& vmi) {
  return vmi.metadata.namespace_ + "/" + vmi.metadata.name;
}

// No single freeze covers a disk of several guests. Pods are checked only with --vm.
void check_shared_disks(const std::vector<kube::VmiView>& vmis, std::vector<Finding>& findings) {
  std::map<std::string, std::set<std::string>> users;  // by "namespace/claim"
  for (const kube::VmiView& vmi : vmis) {
    if (vmi.off()) continue;
    const std::string prefix = vmi.metadata.namespace_ + "/";
    for (const std::string& claim : vmi.claims) users[prefix + claim].insert(name_of(vmi));
  }
  for (const auto& [claim, vms] : users) {
    if (vms.size() < 2) continue;
    std::string names;
    for (const std::string& vm : vms) names += (names.empty() ? "" : ", ") + vm;
    std::string text = "the disk ";
    text.append(claim).append(" is used by ").append(names);
    text.append(": while these run, their backups are crash: shared-disk");
    findings.push_back(
        {Level::kWarning, "VMs", std::move(text), "run one of them at a time, or keep shared data elsewhere"});
  }
}

}  // namespace

std::optional<bool> takes_freeze(const Json& guestosinfo) {
  const auto& commands = guestosinfo["supportedCommands"].items();
  if (commands.empty()) return std::nullopt;
  return std::any_of(commands.begin(), commands.end(), [](const Json& command) {
    return command["name"].string() == "guest-fsfreeze-freeze" && command["enabled"].boolean();
  });
}

std::vector<GuestFacts> guests_of(const CheckFacts& facts) {
  std::vector<GuestFacts> guests;
  if (!facts.vmis) return guests;
  for (const kube::VmiView& vmi : *facts.vmis) {
    if (!vmi.running()) continue;
    const auto known = facts.takes_freeze.find(name_of(vmi));
    guests.push_back({vmi, known == facts.takes_freeze.end() ? std::nullopt : known->second});
  }
  return guests;
}

std::vector<Finding> check_guests(const std::vector<GuestFacts>& guests) {
  std::vector<Finding> findings;
  int good = 0;
  for (const GuestFacts& guest : guests) {
    const std::string about = "VM " + name_of(guest.vmi);
    const auto why = freeze::reason_not_to_freeze(guest.vmi, std::nullopt);
    // A state that passes by itself is not a finding; --vm reports it.
    const bool lasting = why == freeze::reason::kNoAgent || why == freeze::reason::kSkipped;
    if (lasting) {
      const bool wanted = why == freeze::reason::kSkipped;
      findings.push_back(
          {wanted ? Level::kGood : Level::kWarning, about, "its backups are crash: " + explain_reason(why)});
    } else if (guest.takes_freeze == false) {
      findings.push_back({Level::kWarning, about,
                          "its guest agent refuses to freeze (guest-fsfreeze-freeze is disabled)",
                          "allow it in the guest's qemu-ga configuration (block-rpcs, allow-rpcs)"});
    } else {
      ++good;
    }
  }
  findings.push_back(
      {Level::kGood, "VMs",
       std::to_string(good) + " of " + std::to_string(guests.size()) + " running ones have an agent that can freeze"});
  return findings;
}

std::vector<Finding> check_vms(const CheckFacts& facts) {
  if (!facts.vmis) return {{Level::kUnknown, "VMs", "not known: " + facts.vmis.error().message}};
  std::vector<Finding> findings = check_guests(guests_of(facts));
  for (const std::string& unseen : facts.unseen_agents) findings.push_back({Level::kUnknown, "guest agents", unseen});
  check_shared_disks(*facts.vmis, findings);
  return findings;
}

}  // namespace snapfreeze::cli
