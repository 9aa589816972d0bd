// What each part of the judge has: the history, what really happened in it, and the list of broken promises.
#pragma once

#include <string>
#include <vector>

#include "test/sim/history.h"

namespace sim {

class Findings {
 public:
  explicit Findings(History& history) : history_(history), truth_(history.cluster.truth()) {}

 protected:
  void fail(int promise, const std::string& what) { broken_.push_back("(" + std::to_string(promise) + ") " + what); }
  [[nodiscard]] std::string when(cluster::Mono at) const {
    return " at " + std::to_string(truth_.since_start(at) / 1000) + " s";
  }
  static std::string key(const cluster::VmOptions& vm) { return vm.ns + "/" + vm.name; }
  static std::string lease_of(const cluster::VmOptions& vm) { return vm.ns + "." + vm.name; }

  History& history_;
  cluster::Truth& truth_;
  std::vector<std::string> broken_;
};

}  // namespace sim
