#include "cli/foretell.h"

#include "cli/reasons.h"
#include "freeze/policy.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;
using Step = webhook::Decision::Step;

// As an admission does.
webhook::Decision decide_all(const webhook::Facts& facts) {
  if (const auto early = webhook::decide_early(facts.hold, facts.disk, facts.session)) return *early;
  if (const auto by_guest = webhook::decide_by_guest(facts)) return *by_guest;
  return webhook::decide(facts);
}

}  // namespace

freeze::Hold hold_of_next_backup() {
  return {freeze::Hold::Kind::kHarvester, "next", "not-yet", 0};
}

Finding foretell(const std::string& guest, const webhook::Facts& facts) {
  const std::string about = "VM " + guest;
  const webhook::Decision decision = decide_all(facts);
  switch (decision.step) {
    case Step::kBegin: {
      const auto timer = freeze::freeze_timer({}, std::nullopt, facts.guest.vmi && facts.guest.vmi->windows());
      return {Level::kGood, about,
              "a backup now would freeze it until its last disk is captured, for " + std::to_string(timer.count()) +
                  "s at most"};
    }
    case Step::kJoin:
    case Step::kAddHold:
      return {Level::kGood, about, "a backup now would join the freeze that holds it"};
    case Step::kOffline:
      return {Level::kGood, about, "it does not run: a backup now would be offline, of disks at rest"};
    case Step::kWait:
      return {Level::kError, about, "a backup now would wait for another session of it to end, as long as it may",
              "take the backup when `snapfreeze status` does not show it any more"};
    case Step::kCrash:
      break;
  }
  return {Level::kError, about, "a backup now would be crash: " + explain_reason(decision.reason)};
}

}  // namespace snapfreeze::cli
