// The storage: a CSI driver with its sidecar and the snapshot controller, or Longhorn's. It cuts disks, and says so in
// the objects as late as the real chain does.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "test/double/api/http.h"
#include "test/double/runtime/agenda.h"
#include "test/double/runtime/runtime.h"
#include "test/double/storage/longhorn_backend.h"
#include "test/double/truth.h"

namespace cluster {

class Faults;
class Guests;
class Store;
struct ResourceType;

enum class StorageStyle { kCsi, kLonghorn, kOldLonghorn };  // old: no status.requestedTime

struct DiskOptions {
  StorageStyle style = StorageStyle::kCsi;
  Millis cut{50};               // from the snapshot's creation to the cut
  Millis content{20};           // from the snapshot's creation to its content object
  Millis driver_answer{5};      // CSI: cut to the content's creationTime; Longhorn: cut to its object's requestedTime
  Millis engine_monitor{5000};  // Longhorn: at most this after the cut status.creationTime of its object ...
  Millis longhorn_poll{2000};   // ... and at most this later the content's
  bool reported = true;         // false: it is cut, and no object ever says so
  // From the snapshot's creation to its status, and never before 30 ms after the content's (measured: 610 - 1035 ms).
  Millis status_low{610}, status_high{1035};
  Millis ready{0};         // readyToUse so long after the cut was reported
  int interim_errors = 0;  // so many attempts fail first, `error_retry` apart; each is reported in status.error
  Millis error_retry{2000};
  bool fails = false;                 // the errors never end
  bool never = false;                 // nothing ever comes, not even an error
  std::optional<Wall> creation_time;  // reported instead of the cut's: 1970, another machine's clock
  LiveOptions live;                   // Longhorn: what its own API says of it
};

// Names as above ("style": "csi" | "longhorn" | "old-longhorn", durations in milliseconds, "creation_time": Unix
// seconds, "live": LiveOptions, "reported": false for a monitor that says nothing); throws std::invalid_argument that
// names the field.
DiskOptions disk_options_from_json(const Json& json, DiskOptions base = {});

class Storage {
 public:
  Storage(Runtime& runtime, Store& store, Agenda& agenda, Truth& truth, Guests& guests, Faults& faults,
          LonghornBackend& backend);

  // Lock by themselves. They hold for the snapshots created from then on.
  void set_default(const DiskOptions& options);
  void set_disk(const std::string& ns, const std::string& pvc, const DiskOptions& options);

 private:
  struct Job;
  using JobRef = std::shared_ptr<Job>;
  using Step = void (Storage::*)(const JobRef& job);

  // storage.cpp: the chain from a VolumeSnapshot to its cut
  void begin(const Json& snapshot);
  void attempt(const JobRef& job);
  void cut(const JobRef& job);
  void delete_soon(const Json& metadata);
  void remove_finalizer(const std::string& ns, const std::string& name);
  void let_go(const JobRef& job);
  void clean_up(const std::string& uid);
  void at(Mono when, const JobRef& job, Step step);
  bool wanted(const Job& job) const;
  [[nodiscard]] std::string volume_of(const std::string& ns, const std::string& pvc) const;

  // storage_reports.cpp: what the API shows of it
  void make_volume(const Json& claim);
  void make_content(const JobRef& job);
  void make_longhorn_snapshot(const JobRef& job);
  void report_error(const JobRef& job);
  void report_requested(const JobRef& job);
  void report_engine_monitor(const JobRef& job);
  void report_content(const JobRef& job);
  void report_snapshot(const JobRef& job);
  void report_ready(const JobRef& job);
  void merge_status(const ResourceType& type, const std::string& ns, const std::string& name, const Json& status);

  Runtime& runtime_;
  Store& store_;
  Agenda& agenda_;
  Truth& truth_;
  Guests& guests_;
  Faults& faults_;
  LonghornBackend& backend_;
  const ResourceType& snapshots_;
  const ResourceType& contents_;
  const ResourceType& longhorn_;
  DiskOptions default_;
  std::map<std::string, DiskOptions> disks_;  // "ns/pvc"
  std::map<std::string, JobRef> jobs_;        // by the snapshot's uid, while it exists
};

}  // namespace cluster
