// What each part of the judge has: the history, what really happened in it, and the list of broken promises.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "test/sim/history.h"

namespace sim {

class Findings {
 public:
  explicit Findings(History& history) : history_(history), truth_(history.cluster.truth()) {}

 protected:
  // The longest that there is.
  static constexpr std::chrono::seconds kAdmission{15};

  void fail(int promise, const std::string& what) { broken_.push_back("(" + std::to_string(promise) + ") " + what); }
  [[nodiscard]] std::string when(cluster::Mono at) const {
    return " at " + std::to_string(truth_.since_start(at) / 1000) + " s";
  }
  static std::string key(const cluster::VmOptions& vm) { return vm.ns + "/" + vm.name; }
  // Also one that it shares.
  static bool is_disk_of(const std::string& claim, const cluster::VmOptions& vm) {
    return claim.starts_with(vm.name + "-") || std::find(vm.shares.begin(), vm.shares.end(), claim) != vm.shares.end();
  }
  static std::string lease_of(const cluster::VmOptions& vm) { return vm.ns + "." + vm.name; }

  History& history_;
  cluster::Truth& truth_;
  std::vector<std::string> broken_;
};

}  // namespace sim
