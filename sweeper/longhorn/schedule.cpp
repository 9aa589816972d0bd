#include "sweeper/longhorn/schedule.h"

#include <algorithm>
#include <utility>

namespace snapfreeze::sweeper {
namespace {

constexpr int kShareOfWait = 20;  // an answer comes at most a twentieth later than the cut took
constexpr std::chrono::seconds kClocks{1};
constexpr std::chrono::seconds kSecond{1};
// `bound` is up to a second above the server's present.
constexpr std::chrono::seconds kSurelyPassed{2};
constexpr Millis kAfterNoAnswer{1000};

}  // namespace

Millis ask_interval(Millis waited) {
  return std::clamp(waited / kShareOfWait, AskSchedule::kFirstInterval, AskSchedule::kLongestInterval);
}

bool believable(Wall created, const AskSchedule::Disk& disk, Observed now, bool said_not_yet) {
  if (now.bound == Wall::max() || created > now.bound || created < disk.created - kClocks) return false;
  return said_not_yet || now.bound >= created + kSurelyPassed;
}

std::vector<AskSchedule::Disk> disks_to_ask(const Situation& situation) {
  std::vector<AskSchedule::Disk> disks;
  if (!freeze::is_frozen(situation.session.phase)) return disks;
  for (const Member& member : situation.members) {
    if (member.cut() || member.longhorn_volume.empty() || !member.created) continue;
    disks.push_back({member.uid, member.longhorn_volume, *member.created});
  }
  return disks;
}

void AskSchedule::want(const std::string& session, const std::vector<Disk>& disks, Mono now) {
  const auto found = sessions_.find(session);
  if (disks.empty()) {
    if (found != sessions_.end()) sessions_.erase(found);
    return;
  }
  Session& known = sessions_[session];
  std::erase_if(known.turns, [&](const Turn& turn) {
    return std::none_of(disks.begin(), disks.end(),
                        [&](const Disk& disk) { return turn.disk.is(disk.snapshot, disk.volume); });
  });
  for (const Disk& disk : disks) {
    const bool is_known = std::any_of(known.turns.begin(), known.turns.end(),
                                      [&](const Turn& turn) { return turn.disk.is(disk.snapshot, disk.volume); });
    if (is_known) continue;
    known.turns.push_front({disk, now, now, 0, false, false, false});
    known.due = now;
  }
}

// A disk of it has never been asked about, or one was found to be cut.
bool AskSchedule::is_urgent(const Session& session) {
  return session.due == Mono::min() || std::any_of(session.turns.begin(), session.turns.end(),
                                                   [](const Turn& turn) { return !turn.asked && !turn.silent; });
}

Mono AskSchedule::due_of(const Session& session) {
  if (session.asking) return Mono::max();
  Mono first = Mono::max();
  for (const Turn& turn : session.turns) {
    if (!turn.silent) first = std::min(first, turn.not_before);
  }
  return first == Mono::max() ? first : std::max(first, session.due);
}

Mono AskSchedule::askable_from(const Session& session) const {
  const Mono due = due_of(session);
  return is_urgent(session) ? due : std::max(due, turns_from_);
}

Mono AskSchedule::allowed_from() const {
  if (under_way_ >= kAtOnce) return Mono::max();
  const Mono by_rate = calls_.size() < kPerSecond ? Mono::min() : calls_.front() + kSecond;
  return std::max(by_rate, left_alone_until_);
}

Mono AskSchedule::next_due() const {
  Mono first = Mono::max();
  for (const auto& [uid, session] : sessions_) first = std::min(first, askable_from(session));
  return first == Mono::max() ? first : std::max(first, allowed_from());
}

// Of several that are due, the one that has waited longest.
std::optional<AskJob> AskSchedule::next(Mono now) {
  if (now < allowed_from()) return std::nullopt;
  auto first = sessions_.end();
  for (auto one = sessions_.begin(); one != sessions_.end(); ++one) {
    if (askable_from(one->second) > now) continue;
    if (first == sessions_.end() || due_of(one->second) < due_of(first->second)) first = one;
  }
  if (first == sessions_.end()) return std::nullopt;
  Session& session = first->second;
  if (!is_urgent(session)) turns_from_ = now + kBetweenTurns;
  const auto turn = std::find_if(session.turns.begin(), session.turns.end(),
                                 [&](const Turn& one) { return !one.silent && one.not_before <= now; });
  turn->asked = true;
  session.asking = true;
  session.asked = now;
  calls_.push_back(now);
  if (calls_.size() > kPerSecond) calls_.pop_front();
  ++under_way_;
  return AskJob{first->first, turn->disk.snapshot, turn->disk.volume};
}

std::optional<AskSchedule::Cut> AskSchedule::done(const AskDone& done, Observed now) {
  --under_way_;
  const auto found = sessions_.find(done.session);
  if (found == sessions_.end()) return std::nullopt;
  Session& session = found->second;
  session.asking = false;
  const auto turn = std::find_if(session.turns.begin(), session.turns.end(),
                                 [&](const Turn& one) { return one.disk.is(done.snapshot, done.volume); });
  if (turn == session.turns.end()) return std::nullopt;
  Turn asked = std::move(*turn);
  session.turns.erase(turn);
  return take(session, std::move(asked), done, now);
}

std::optional<AskSchedule::Cut> AskSchedule::take(Session& session, Turn turn, const AskDone& done, Observed now) {
  using End = AskDone::End;
  const bool answered = done.end == End::kAnswered;
  if (answered) strikes_ = turn.strikes = 0;
  if (answered && done.answer.says == LiveAnswer::Says::kCut &&
      believable(done.answer.created, turn.disk, now, turn.not_yet)) {
    // The others are likely to be cut as well, and this guest is the nearest to its thaw: it goes before those that
    // wait. That costs them one question for each cut at most.
    session.due = Mono::min();
    return Cut{turn.disk.snapshot, done.answer.created};
  }
  const auto waited = std::chrono::duration_cast<Millis>(session.asked - turn.first_seen);
  const bool all_asked =
      std::all_of(session.turns.begin(), session.turns.end(), [](const Turn& one) { return one.asked; });
  session.due = all_asked ? std::max(now.at, session.asked + ask_interval(waited)) : now.at;
  turn.not_yet = turn.not_yet || (answered && done.answer.says == LiveAnswer::Says::kNotYet);
  turn.silent = done.end == End::kCancelled;
  if (done.end == End::kNoAnswer) strike(turn, now.at);
  session.turns.push_back(std::move(turn));
  return std::nullopt;
}

void AskSchedule::strike(Turn& turn, Mono now) {
  turn.not_before = now + kAfterNoAnswer;
  turn.silent = ++turn.strikes >= kDiskStrikes;
  if (++strikes_ < kStrikes) return;
  strikes_ = 0;
  left_alone_until_ = now + kLeftAlone;
}

}  // namespace snapfreeze::sweeper
