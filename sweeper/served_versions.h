// Which version of a kind the API serves, as it was when it was last asked. One for each of our few kinds.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "kube/paths.h"

namespace snapfreeze::sweeper {

// Thread-safe.
class ServedVersions {
 public:
  // nullopt: it was not served. At first each kind's own version.
  [[nodiscard]] std::optional<std::string> of(const kube::Resource& resource) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(key(resource));
    return found == known_.end() ? std::optional<std::string>(resource.version) : found->second;
  }

  void learn(const kube::Resource& resource, std::optional<std::string> version) {
    const std::lock_guard lock(mutex_);
    known_[key(resource)] = std::move(version);
  }

 private:
  static std::string key(const kube::Resource& resource) {
    return std::string(resource.group) + "/" + std::string(resource.plural);
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::optional<std::string>> known_;
};

}  // namespace snapfreeze::sweeper
