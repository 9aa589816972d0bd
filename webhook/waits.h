// The waits of an admission for something that others do. Whoever waits keeps a thread from the joins of other backups,
// so those who wait are bounded: each holds one of `waits`.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "freeze/session.h"
#include "webhook/budget.h"
#include "webhook/reads.h"
#include "webhook/seams.h"
#include "webhook/slots.h"

namespace snapfreeze::webhook {

// Used by one thread. The slot is taken by the first wait, so what is there at once costs none.
class Wait {
 public:
  explicit Wait(Slots& waits, Backoff backoff = Backoff()) : waits_(waits), backoff_(backoff) {}

  // False: no slot is free, or Backoff::wait says so.
  bool next(Clock& clock, const Budget& budget) {
    if (!slot_) slot_.emplace(waits_);
    return *slot_ && backoff_.wait(clock, budget);
  }
  [[nodiscard]] bool found_no_slot() const { return slot_ && !*slot_; }

 private:
  Slots& waits_;
  Backoff backoff_;
  std::optional<Slots::Taken> slot_;
};

// Reads the Harvester backup that owns the snapshot, and repeats a read that may succeed later until only `reserved` is
// left of the budget, or while no slot is free. As read_backup (reads.h) in the rest.
Result<std::optional<kube::BackupView>> read_backup_patiently(const Seams& seams, Slots& waits, const Subject& subject,
                                                              const Budget& budget, Millis reserved);

enum class Waited {
  kChanged,  // decide again, from fresh reads
  kBusy,     // no slot was free
  kInVain,
};

// Waits until a freeze has ended, or until a session that cannot be joined is gone or rests. Errors are those of
// kube/rest.h.
Result<Waited> wait_for_session(const Seams& seams, Slots& waits, const freeze::Session& seen, const Budget& budget);

// Waits until the guest is no longer reported frozen, or has a session. KubeVirt asks the guest every 5 s only, so a
// guest that was thawed less than 5 s ago is still reported frozen. Ends after 6 s. Errors are those of kube/rest.h.
Result<Waited> wait_for_report(const Seams& seams, Slots& waits, const Subject& subject, const Budget& budget);

}  // namespace snapfreeze::webhook
