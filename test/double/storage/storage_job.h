// One snapshot on its way through the storage; private to the files of Storage.
#pragma once

#include <string>

#include "test/double/storage/storage.h"

namespace cluster {

inline constexpr const char* kLonghornNamespace = "longhorn-system";

struct Storage::Job {
  std::string ns, name, uid, pvc;
  std::string volume;    // of the claim: the name of its PersistentVolume
  std::string bound_to;  // the content of a pre-provisioned snapshot, which has no PVC
  std::string backup;
  DiskOptions options;
  Mono created;
  Wall cut_at{};
  int failures = 0;
  Millis backoff{1000};  // until its controller tries again, after a call that failed
  bool made_content = false;
  bool answered = false;  // the driver did, and the content says so

  [[nodiscard]] std::string content() const { return bound_to.empty() ? "snapcontent-" + uid : bound_to; }
  [[nodiscard]] std::string longhorn() const { return "snapshot-" + uid; }
  [[nodiscard]] bool is_longhorn() const { return options.style != StorageStyle::kCsi; }
  // What the storage says when it cut; not always the truth. Longhorn's engine notes whole seconds.
  [[nodiscard]] Wall reported_time() const {
    const Wall time = options.creation_time.value_or(cut_at);
    return is_longhorn() ? std::chrono::floor<std::chrono::seconds>(time) : time;
  }
};

}  // namespace cluster
