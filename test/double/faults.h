// Faults on demand at the API server, and the ledger of all calls to it.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

enum class FaultKind {
  kDropBefore,   // the connection is closed, nothing is carried out
  kDropAfter,    // carried out, but no reply comes
  kDelayBefore,  // carried out `delay` later, even when the caller has given up by then
  kDelayAfter,   // carried out at once, the reply comes `delay` later
  kStatus,       // refused with `status`, nothing is carried out
  kHang,         // no reply, nothing is carried out
  kCutWatch,     // a watch ends in the middle of a line; this and the next two count lines, not calls
  kSilentWatch,  // a watch stays open and says nothing from that line on
  kExpireWatch,  // a watch gets the error event "410 Expired" instead of that line, and ends
  kKillBefore,   // the caller is killed (see Faults::set_killer), nothing is carried out
  kKillAfter,    // carried out, then the caller is killed
  kStopAfter,    // carried out, then the caller is stopped for `delay` (see Faults::set_stopper)
};

struct Fault {
  FaultKind kind = FaultKind::kDropBefore;
  std::string caller;  // exact; empty: anyone
  std::string verb;    // get list watch create update patch delete freeze unfreeze; empty: any
  std::string path;    // a part of path and query; empty: any. "/freeze" does not match ".../unfreeze"
  int nth = 1;         // the first matching call that it hits, counted from when it is added
  int count = 1;       // how many calls in a row it hits; -1: all
  Millis delay{0};
  int status = 500;
  std::optional<int> retry_after;  // seconds, header of a kStatus reply

  int seen = 0;  // matching calls so far
};

// Refuses the calls of `caller` with that verb and that part of a path, as often as `count` says.
inline Fault refusal(std::string caller, std::string verb, std::string path, int status, int count = -1) {
  Fault fault;
  fault.kind = FaultKind::kStatus;
  fault.caller = std::move(caller);
  fault.verb = std::move(verb);
  fault.path = std::move(path);
  fault.status = status;
  fault.count = count;
  return fault;
}

// What watches do not say, or say late. Lists and reads are not concerned: they go to etcd.
struct Holdback {
  std::string caller;  // exact; empty: anyone
  std::string path;    // of the collection, without namespace: "/kubevirt.io/v1/virtualmachines"; empty: any
  Mono from{}, until{kNever};
  std::optional<Millis> late_by;  // nullopt: silent; what was held back comes at `until`
  bool only_open = false;         // only watches that are open at `from`: the connection is stuck, not the server

  // When that which happened at `event` is to be seen.
  [[nodiscard]] Mono shows(Mono event) const {
    return event < from ? event : late_by ? std::min(until, event + *late_by) : until;
  }
};

// The fields' names as above, kinds as "drop-before", "cut-watch"; throws std::invalid_argument that names the field.
Fault fault_from_json(const Json& json);

// All members: the caller holds the runtime's lock, unless they say otherwise.
class Faults {
 public:
  void add(Fault fault) { faults_.push_back(std::move(fault)); }
  void clear() {
    faults_.clear();
    ++clearings_;
  }
  // How often that was: a watch that a fault has silenced breaks then.
  [[nodiscard]] int clearings() const { return clearings_; }
  // Counts the call in ledger and faults; the faults that hit it.
  std::vector<Fault> strike(const std::string& caller, const std::string& verb, const std::string& path_and_query);

  // The fault that hits the next line of an open watch.
  std::optional<FaultKind> strike_line(const std::string& caller, const std::string& path_and_query);

  void hold_back(Holdback holdback) { holdbacks_.push_back(std::move(holdback)); }
  // What is held back is seen by `now` at the latest.
  void end_holdbacks(Mono now) {
    for (Holdback& each : holdbacks_) each.until = std::min(each.until, now);
  }
  // What holds back a watch of that kind now; nullptr: nothing does.
  // Of a watch that began then.
  [[nodiscard]] const Holdback* holdback(const std::string& caller, const std::string& collection, Mono began,
                                         Mono now) const;

  // Who kills a caller; called without the lock, perhaps from a fiber of that caller.
  using Killer = std::function<void(const std::string& caller)>;
  void set_killer(Killer killer) { killer_ = std::move(killer); }
  [[nodiscard]] const Killer& killer() const { return killer_; }

  // Who stops a caller for so long, as SIGSTOP and SIGCONT do; called without the lock, and returns at once.
  using Stopper = std::function<void(const std::string& caller, Millis lasts)>;
  void set_stopper(Stopper stopper) { stopper_ = std::move(stopper); }
  [[nodiscard]] const Stopper& stopper() const { return stopper_; }

  // The API server is away: connections are refused, open watches are cut.
  void go_down_until(Mono until) { down_until_ = until; }
  [[nodiscard]] Mono down_until() const { return down_until_; }

  // caller -> verb -> calls. Freeze calls have the verbs "freeze" and "unfreeze" here, though RBAC calls them update.
  using Ledger = std::map<std::string, std::map<std::string, int>>;
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] int calls(const std::string& caller) const;  // all verbs but watch
  void clear_ledger() { ledger_.clear(); }

 private:
  std::vector<Fault> strike(bool lines, const std::string& caller, const std::string& verb, const std::string& path);

  std::vector<Fault> faults_;
  int clearings_ = 0;
  std::deque<Holdback> holdbacks_;  // addresses stay
  Killer killer_;
  Stopper stopper_;
  Mono down_until_{};
  Ledger ledger_;
};

}  // namespace cluster
