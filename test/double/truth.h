// What really happened in the guests and on the disks, on the cluster's own monotonic clock. Nobody under test sees it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

struct FrozenInterval {
  Mono from;
  std::optional<Mono> until;  // nullopt: frozen still
  std::string frozen_by;      // the API caller, "vm-snapshot"
  std::string thawed_by;      // the API caller, "timer", "vss", "power-off", "vm-snapshot"
  bool whole = true;          // false: a freeze that failed half-way; some filesystems still wrote
};

struct Cut {
  Mono at;
  std::string ns, snapshot, uid, pvc;
  std::string vm;      // "namespace/name", empty when no VM has that disk
  std::string backup;  // name of the owning VirtualMachineBackup, or the value of the backup label
};

// The consistency of a backup as it is, whatever anyone says about it.
struct Consistency {
  int cuts = 0;
  bool filesystem = false;  // every cut lies within one and the same frozen interval
  bool offline = false;     // no guest was powered between the first and the last cut
  std::optional<Millis> last_cut_to_thaw;
  Millis cut_span{0};  // first to last cut
};

struct TimelineEntry {
  Mono at;
  std::string kind;    // freeze thaw cut create admission call power backup ...
  std::string object;  // "namespace/name"
  std::string detail;
};

// All members: the caller holds the runtime's lock. `vm` is "namespace/name".
class Truth {
 public:
  explicit Truth(Runtime& runtime) : runtime_(runtime), start_(runtime.now()) {}

  void froze(const std::string& vm, const std::string& by, bool whole = true);
  void thawed(const std::string& vm, const std::string& by);
  void powered(const std::string& vm, bool on);
  // Who has a disk, "namespace/claim", and may write it: "vm namespace/name" or "pod namespace/name".
  void held(const std::string& claim, const std::string& by, bool on);
  void cut(Cut cut);
  void note(std::string kind, std::string object, std::string detail);
  // Told of each entry of the timeline; it must not block. {}: nobody is.
  void observe(std::function<void(const TimelineEntry&)> observer) { observer_ = std::move(observer); }

  [[nodiscard]] bool frozen_now(const std::string& vm) const;
  [[nodiscard]] const std::vector<FrozenInterval>& intervals(const std::string& vm) const;
  [[nodiscard]] int freezes(const std::string& vm) const { return static_cast<int>(intervals(vm).size()); }
  [[nodiscard]] int thaws(const std::string& vm) const;
  [[nodiscard]] Millis longest_frozen(const std::string& vm) const;  // a running interval counts up to now
  [[nodiscard]] Millis total_frozen(const std::string& vm) const;
  [[nodiscard]] const std::vector<Cut>& cuts() const { return cuts_; }
  [[nodiscard]] std::vector<Cut> cuts_of(const std::string& ns, const std::string& backup) const;
  // `disks`: how many cuts make the backup whole; fewer are neither filesystem nor offline.
  [[nodiscard]] Consistency consistency(const std::string& ns, const std::string& backup, int disks) const;
  [[nodiscard]] const std::vector<TimelineEntry>& timeline() const { return timeline_; }

  // Milliseconds since the double's start, as all exported times.
  [[nodiscard]] double since_start(Mono at) const;
  [[nodiscard]] Json timeline_json() const;
  [[nodiscard]] Json guests_json() const;
  [[nodiscard]] Json cuts_json() const;

 private:
  struct PowerInterval {
    Mono from;
    std::optional<Mono> until;
  };

  Runtime& runtime_;
  const Mono start_;
  std::map<std::string, std::vector<FrozenInterval>> frozen_;
  std::map<std::string, std::vector<PowerInterval>> power_;
  std::vector<Cut> cuts_;
  std::vector<TimelineEntry> timeline_;
  std::function<void(const TimelineEntry&)> observer_;
};

}  // namespace cluster
