// The newest object that a list of a collection has ever shown. A watch that is silent before it lags, also if that
// object has gone since: a look that is repeated must not forget what an earlier one has seen.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "kube/replay.h"

namespace snapfreeze::sweeper {

// Thread-safe.
class NewestListed {
 public:
  // Of as many collections; of more, only what the list itself shows.
  static constexpr std::size_t kMost = 10'000;

  // `version`: of the newest object in a list of the collection; "": it was empty. Returns that of the newest one ever.
  // After a restore of etcd, it may be one that no list has reached yet.
  std::string note(const std::string& collection, const std::string& version) {
    const std::lock_guard lock(mutex_);
    const auto known = newest_.find(collection);
    if (known == newest_.end()) {
      if (!version.empty() && newest_.size() < kMost) newest_.emplace(collection, version);
      return version;
    }
    if (kube::is_not_after(known->second, version)) known->second = version;
    return known->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> newest_;
};

}  // namespace snapfreeze::sweeper
