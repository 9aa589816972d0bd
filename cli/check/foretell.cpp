#include "cli/check/foretell.h"

#include <algorithm>
#include <set>

#include "freeze/names.h"
#include "freeze/policy.h"
#include "freeze/wording.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;
using Step = webhook::Decision::Step;
namespace reason = freeze::reason;

std::string phrases_in_a_row(const std::vector<std::string>& phrases) {
  std::string text;
  for (const std::string& phrase : phrases) text += (text.empty() ? "" : "; ") + phrase;
  return text;
}

// As an admission does.
webhook::Decision decide_all(const webhook::Facts& facts) {
  if (const auto early = webhook::decide_early(facts.hold, facts.disk, facts.session)) {
    return early->reason == reason::kCoolDown ? webhook::decide_resting(facts) : *early;
  }
  if (const auto by_guest = webhook::decide_by_guest(facts)) return *by_guest;
  return webhook::decide(facts);
}

// A backup takes each disk of a VM. Disks that its guest does not have are checked separately.
std::string first_disk(const freeze::Guest& guest) {
  const bool runs = guest.vmi && !guest.vmi->off();
  const std::vector<std::string> disks = runs        ? guest.vmi->disks()
                                         : guest.vm  ? guest.vm->claims
                                         : guest.vmi ? guest.vmi->claims
                                                     : std::vector<std::string>{};
  return disks.empty() ? "" : disks.front();
}

class Foretelling {
 public:
  Foretelling(const std::string& guest, const Foretold& facts) : about_("VM " + guest), facts_(facts) {
    admission_ = facts.admission;
    admission_.disk = first_disk(facts.admission.guest);
    spoiled_.vm = vm_name(guest);
    spoiled_.claims = disks();
    spoiled_.from = facts.now;
  }

  std::vector<Finding> run() {
    decide();
    if (const auto retried = backups_to_be_retried(spoiled_, facts_.others); !retried.empty()) {
      add({Level::kWarning, about_,
           "Harvester will retry " + phrases_in_a_row(retried) +
               ". Each attempt freezes the guest, and a backup at that moment is crash: other-backup",
           "fix the cause, or delete that backup"});
    }
    for (const auto* unseen : {&facts_.unseen, &facts_.others.unseen}) {
      for (const std::string& one : *unseen) add({Level::kUnknown, about_, "not known: " + one});
    }
    return std::move(findings_);
  }

 private:
  static std::string vm_name(const std::string& guest) { return guest.substr(guest.find('/') + 1); }

  void add(Finding finding) { findings_.push_back(std::move(finding)); }

  void crash(freeze::Reason why, const std::vector<std::string>& who) {
    std::string text = "a backup now would be crash: " + freeze::explain_reason(why.name());
    if (!who.empty()) text += ". It is " + phrases_in_a_row(who);
    add({Level::kError, about_, text});
  }

  // The disks of the VM and of its running guest. Harvester makes a snapshot of each disk in the VM's template.
  std::vector<std::string> disks() const {
    std::set<std::string> claims;
    const freeze::Guest& guest = admission_.guest;
    if (guest.vm) claims.insert(guest.vm->claims.begin(), guest.vm->claims.end());
    if (guest.vmi) claims.insert(guest.vmi->claims.begin(), guest.vmi->claims.end());
    return {claims.begin(), claims.end()};
  }

  // The disks in the template that the running guest does not have.
  std::vector<std::string> foreign_disks() const {
    const freeze::Guest& guest = admission_.guest;
    std::vector<std::string> foreign;
    if (!guest.vmi || !guest.vm) return foreign;
    for (const std::string& claim : guest.vm->claims) {
      const auto& own = guest.vmi->claims;
      if (std::find(own.begin(), own.end(), claim) == own.end()) foreign.push_back(claim);
    }
    return foreign;
  }

  void decide() {
    const webhook::Decision decision = decide_all(admission_);
    switch (decision.step) {
      case Step::kBegin:
      case Step::kJoin:
      case Step::kAddHold:
        if (!spoiled()) would_freeze(decision.step);
        return;
      case Step::kOffline:
        would_be_offline();
        return;
      case Step::kWait:
        add({Level::kError, about_,
             "a backup now would wait for another session of this VM to end, and give up when its time is over",
             "take the backup once `snapfreeze status` no longer shows that session"});
        return;
      case Step::kAwaitReport:  // it was frozen when it was read, and no thaw was seen since
        return crash(reason::kFrozenByOther, spoilers_of(reason::kFrozenByOther, spoiled_, facts_.others));
      case Step::kCrash:
        break;
    }
    crash(decision.reason, spoilers_of(decision.reason, spoiled_, facts_.others));
  }

  // By what the sweeper would find. All findings are reported, as each must be fixed.
  bool spoiled() {
    const std::size_t before = findings_.size();
    if (const auto foreign = foreign_disks(); !foreign.empty()) {
      Spoiled of_foreign = spoiled_;
      of_foreign.claims = foreign;
      crash(reason::kNotItsDisk, owners_of_foreign_disks(of_foreign, facts_.others));
    }
    if (const auto who = disk_users(spoiled_, facts_.others); !who.empty()) crash(reason::kSharedDisk, who);
    if (const auto who = kubevirt_freezers(spoiled_, facts_.others); !who.empty()) {
      crash(reason::kKubevirtSnapshot, who);
    }
    if (const auto who = other_backups(spoiled_, facts_.others); !who.empty()) crash(reason::kOtherBackup, who);
    if (facts_.takes_freeze == false) {
      add({Level::kError, about_, "its guest agent refuses to freeze (guest-fsfreeze-freeze is disabled)",
           "allow it in the guest's qemu-ga configuration (block-rpcs, allow-rpcs)"});
    }
    return findings_.size() > before;
  }

  void would_freeze(Step step) {
    if (step != Step::kBegin) {
      add({Level::kGood, about_, "a backup now would join the freeze that holds it"});
      return;
    }
    const bool windows = admission_.guest.vmi && admission_.guest.vmi->windows();
    const auto timer = freeze::freeze_timer({}, std::nullopt, windows);
    std::string text = "a backup now would freeze it until its last disk is captured, for " +
                       std::to_string(timer.count()) + "s at most";
    if (windows) text += ", as Windows gives up a freeze after 10s: a cut that takes longer is crash";
    add({Level::kGood, about_, text});
  }

  void would_be_offline() {
    if (const auto who = disk_users(spoiled_, facts_.others); !who.empty()) return crash(reason::kSharedDisk, who);
    add({Level::kGood, about_, "it is not running: a backup now would be offline, with its disks at rest"});
  }

  const std::string about_;
  const Foretold& facts_;
  webhook::Facts admission_;
  Spoiled spoiled_;
  std::vector<Finding> findings_;
};

}  // namespace

freeze::Hold hold_of_next_backup() {
  return {freeze::Hold::Kind::kHarvester, "next", "not-yet", 0};
}

std::vector<Finding> foretell(const std::string& guest, const Foretold& facts) {
  return Foretelling(guest, facts).run();
}

}  // namespace snapfreeze::cli
