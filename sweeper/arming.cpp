#include "sweeper/arming.h"

#include <algorithm>

#include "sweeper/hold_plan.h"

namespace snapfreeze::sweeper {
namespace {

using freeze::Phase;

bool contains(const std::vector<std::string>& uids, const std::string& uid) {
  return std::find(uids.begin(), uids.end(), uid) != uids.end();
}

// By another leader, or in an earlier life of ours.
bool armed_by_another(const Situation& situation, const Progress& progress) {
  return situation.session.phase == Phase::kArmed && !progress.armed_until;
}

bool may_lead_the_record(const Situation& situation, const Progress& progress, const Plan& plan) {
  const freeze::Session& session = situation.session;
  const auto& after = session.intent.after;
  const bool for_captures = plan.completed && !plan.guest_gone && !plan.look_first;
  const bool no_doubt = plan.doubts.empty() && session.doubts.empty() && progress.doubts.empty();
  return for_captures && no_doubt && !session.unsettled && !progress.unsettled && progress.failures == 0 &&
         std::all_of(after.begin(), after.end(), [&](const auto& uid) { return plan.captured.contains(uid); });
}

}  // namespace

std::vector<std::string> to_arm(const Situation& situation, const Progress& progress) {
  const freeze::Session& session = situation.session;
  const bool doubtful = !session.doubts.empty() || !progress.doubts.empty() || session.unsettled || progress.unsettled;
  if (session.phase != Phase::kFrozen || progress.arm_tried || doubtful || session.windows) return {};
  for (std::size_t i = 0; i < situation.holds.size(); ++i) {
    if (!waits_for_cuts_only(situation, i)) return {};
  }
  std::vector<std::string> after;
  for (const Member& member : situation.members) {
    if (member.hold) after.push_back(member.uid);
  }
  if (after.size() > kMostArmed) after.clear();
  return after;
}

bool has_all_to_claim(const Situation& situation, const Progress& progress) {
  const auto& after = situation.session.intent.after;
  return armed_by_another(situation, progress) && std::all_of(after.begin(), after.end(), [&](const auto& uid) {
           return std::any_of(situation.members.begin(), situation.members.end(),
                              [&](const Member& member) { return member.uid == uid && member.cut(); });
         });
}

void heed_arms(const Situation& situation, const Progress& progress, Mono now, Mono deadline, Plan& plan) {
  if (situation.session.phase != Phase::kArmed) return;
  if (armed_by_another(situation, progress)) {
    const auto& after = situation.session.intent.after;
    plan.unsettled = true;
    std::erase_if(plan.captured, [&](const auto& item) { return !contains(after, item.first); });
    std::erase_if(plan.unproven, [&](const auto& item) { return !contains(after, item.first); });
    return;
  }
  const Mono until = std::min(*progress.armed_until, deadline);
  if (now < until && may_lead_the_record(situation, progress, plan)) plan.armed_until = until;
}

}  // namespace snapfreeze::sweeper
