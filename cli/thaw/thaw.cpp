#include "cli/thaw/thaw.h"

#include "base/time.h"
#include "freeze/calls.h"
#include "freeze/names.h"
#include "freeze/policy.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/views.h"

namespace snapfreeze::cli {
namespace {

using freeze::Phase;
using freeze::Session;
using freeze::ThawOutcome;
using ThawEnd = HandThaw::End;

constexpr int kAttempts = 3;
constexpr int kRaces = 6;
constexpr Millis kFirstPause{100};
constexpr Millis kBetweenAttempts{1000};

std::string names_of(const std::vector<freeze::Hold>& holds) {
  std::string names;
  for (const freeze::Hold& hold : holds) names += (names.empty() ? "" : ", ") + hold.name;
  return names;
}

class ByHand {
 public:
  ByHand(const ThawSeams& seams, const ThawTarget& target)
      : seams_(seams), target_(target), abandoned_(seams.clock.monotonic() + freeze::kLongestFreezing) {}

  HandThaw run() {
    Millis pause = kBetweenAttempts;
    for (int attempt = 1; look() && record(); ++attempt, pause *= 2) {
      if (call() || attempt == kAttempts) break;
      say((result_.error.http_status == 0 ? "no reply" : result_.error.message) + "; trying again");
      if (!seams_.clock.wait(pause)) break;
    }
    return std::move(result_);
  }

 private:
  void say(std::string words) { result_.did.push_back(std::move(words)); }

  bool end(ThawEnd how, Error error = {}) {
    result_.end = how;
    result_.error = std::move(error);
    return false;
  }

  // Each of the three returns whether to go on, or (the last) whether it is settled.

  bool look() {
    const auto object =
        kube::get(seams_.api, kube::object_path(kube::kVirtualMachineInstances, target_.namespace_, target_.vm));
    if (object) {
      vmi_ = kube::VmiView::from(*object);
      return true;
    }
    vmi_.reset();
    if (object.error().code != Code::kNotFound) return end(ThawEnd::kNotRecorded, object.error());
    const auto vm = kube::get(seams_.api, kube::object_path(kube::kVirtualMachines, target_.namespace_, target_.vm));
    if (vm) return end(ThawEnd::kNotRunning);
    if (vm.error().code != Code::kNotFound) return end(ThawEnd::kNotRecorded, vm.error());
    return end(ThawEnd::kNoSuchVm, vm.error());
  }

  // We do not overtake a freeze on its way, which would freeze the guest after our thaw. None takes longer than we
  // wait.
  Result<std::optional<Session>> read_session() {
    for (bool said = false;; said = true) {
      auto there = seams_.sessions.read(target_.namespace_, target_.vm);
      const bool freezing = there && *there && (*there)->phase == Phase::kFreezing;
      if (!freezing || seams_.clock.monotonic() >= abandoned_) return there;
      if (!said) say("it is being frozen; waiting for that to end");
      if (!seams_.clock.wait(kFirstPause)) return Error{Code::kCancelled, "interrupted", 0};
    }
  }

  // Tries until a record says what is about to be done. After a lost race, reads and decides again.
  bool record() {
    Millis pause = kFirstPause;
    for (int race = 0; race < kRaces; ++race, pause *= 2) {
      const auto there = read_session();
      if (!there) return end(ThawEnd::kNotRecorded, there.error());
      const auto written = *there ? seams_.sessions.update(thawing(**there)) : seams_.sessions.create(born_thawing());
      if (written) return recorded(*there, *written);
      const Code code = written.error().code;
      const bool namespace_gone = !*there && code == Code::kNotFound;
      if (namespace_gone) return nobody_holds_it(written.error());
      if (code != Code::kConflict && code != Code::kNotFound) return end(ThawEnd::kNotRecorded, written.error());
      if (!seams_.clock.wait(pause)) break;
    }
    return end(ThawEnd::kNotRecorded, {Code::kConflict, "the session changes faster than it can be written", 0});
  }

  // Captures on record were observed before the thaw was sent, and stand whatever we do.
  Session thawing(Session session) const {
    if (freeze::holds_guest(session.phase)) session.doubt(freeze::reason::kThawedByHand);
    session.phase = Phase::kThawing;
    mark(session);
    return session;
  }

  Session born_thawing() const {
    Session session;
    session.namespace_ = target_.namespace_;
    session.vm = target_.vm;
    session.vmi_uid = vmi_->metadata.uid;
    session.windows = vmi_->windows();
    session.timer = freeze::kMinTimer;
    session.holder = target_.by;
    session.phase = Phase::kThawing;
    // A record without a hold would count as damaged.
    session.holds = {{freeze::Hold::Kind::kLabel, std::string(freeze::reason::kThawedByHand.name()), "", 0}};
    session.doubt(freeze::reason::kThawedByHand);
    mark(session);
    return session;
  }

  void mark(Session& session) const {
    session.intent = {freeze::Intent::Call::kUnfreeze, target_.by};
    session.unsettled = true;  // until it is known better, which nobody will know but we
  }

  bool recorded(const std::optional<Session>& before, const Session& now) {
    if (before && !result_.found) result_.found = before;
    if (before && freeze::holds_guest(before->phase)) {
      result_.crash = true;
      // An admin need not know what is written ahead.
      const Phase phase = freeze::is_frozen(before->phase) ? Phase::kFrozen : before->phase;
      say("it is held for " + names_of(before->holds) + " (" + std::string(to_string(phase)) + " since " +
          (before->created ? format_time(*before->created) : "?") + ")");
    } else if (before) {
      say("its session is ending (" + std::string(to_string(before->phase)) + "); the verdict stands");
    } else {
      say("no backup holds it");
    }
    say("recorded in Lease " + target_.home.namespace_ + "/" + now.lease + ", for the sweeper");
    return true;
  }

  // If nothing is installed, there is no session that could be misled.
  bool nobody_holds_it(const Error& error) {
    if (target_.home.known != Home::Known::kAbsent) return end(ThawEnd::kNotRecorded, error);
    say("snapfreeze is not installed: there is nowhere to record this");
    return true;
  }

  bool call() {
    const auto answer = freeze::unfreeze(seams_.api, target_.namespace_, target_.vm);
    const Error error{Code::kTransient, answer.message, answer.http_status};
    switch (answer.outcome) {
      case ThawOutcome::kLapsed:
        say("thawed; Windows had already given up the freeze");
        end(ThawEnd::kThawed);
        return true;
      case ThawOutcome::kThawed:
        say("thawed");
        end(ThawEnd::kThawed);
        return true;
      case ThawOutcome::kRefused:
        end(ThawEnd::kRefused, error);
        return true;
      case ThawOutcome::kUnknown:
        break;
    }
    return end(ThawEnd::kUnsettled, error);
  }

  const ThawSeams& seams_;
  const ThawTarget& target_;
  const Mono abandoned_;  // what is Freezing then has been so for longer than any freeze takes
  std::optional<kube::VmiView> vmi_;
  HandThaw result_;
};

}  // namespace

HandThaw thaw_by_hand(const ThawSeams& seams, const ThawTarget& target) {
  return ByHand(seams, target).run();
}

}  // namespace snapfreeze::cli
