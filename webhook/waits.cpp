#include "webhook/waits.h"

namespace snapfreeze::webhook {
namespace {

// A guest that somebody else keeps frozen costs few calls: three a second.
constexpr Millis kBetweenReports{1000};
constexpr int kMostReports = 6;

Waited in_vain(const Wait& wait) {
  return wait.found_no_slot() ? Waited::kBusy : Waited::kInVain;
}

}  // namespace

Result<std::optional<kube::BackupView>> read_backup_patiently(const Seams& seams, Slots& waits, const Subject& subject,
                                                              const Budget& budget, Millis reserved) {
  const Budget repeating = budget.less(reserved);
  Wait wait(waits);
  for (Millis timeout = budget.for_call();; timeout = repeating.for_call()) {
    auto backup = read_backup(seams.api, subject.namespace_, subject.hold.name, timeout);
    const bool may_succeed = !backup && backup.error().code == Code::kTransient && !backup.error().too_large;
    if (!may_succeed || !wait.next(seams.clock, repeating)) return backup;
  }
}

Result<Waited> wait_for_session(const Seams& seams, Slots& waits, const freeze::Session& seen, const Budget& budget) {
  Wait wait(waits);
  while (wait.next(seams.clock, budget)) {
    const auto session = seams.sessions.read(seen.namespace_, seen.vm, budget.for_call());
    if (!session) return session.error();
    const auto& now = *session;
    if (!now || now->uid != seen.uid || now->phase == freeze::Phase::kResting) return Waited::kChanged;
    if (seen.phase == freeze::Phase::kFreezing && now->phase != seen.phase) return Waited::kChanged;
  }
  return in_vain(wait);
}

Result<Waited> wait_for_report(const Seams& seams, Slots& waits, const Subject& subject, const Budget& budget) {
  Wait wait(waits, Backoff(kBetweenReports, kBetweenReports));
  for (int i = 0; i < kMostReports && wait.next(seams.clock, budget); ++i) {
    freeze::Guest guest;
    if (const auto seen = read_guest(seams.api, subject, budget.for_call(), nullptr, guest); !seen) return seen.error();
    if (!guest.vmi || !guest.vmi->reported_frozen()) return Waited::kChanged;
    // Another disk of this backup may have begun one, and the report is of its freeze.
    const auto session = seams.sessions.read(subject.namespace_, subject.vm, budget.for_call());
    if (!session) return session.error();
    if (*session) return Waited::kChanged;
  }
  return in_vain(wait);
}

}  // namespace snapfreeze::webhook
