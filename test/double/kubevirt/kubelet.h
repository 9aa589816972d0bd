// Runs the pods that others than KubeVirt make, and knows which disks they have.
#pragma once

#include <set>
#include <string>

#include "test/double/api/store.h"
#include "test/double/runtime/agenda.h"
#include "test/double/truth.h"

namespace cluster {

class Kubelet {
 public:
  // Takes the lock by what it observes only.
  Kubelet(Store& store, Agenda& agenda, Truth& truth);

 private:
  void follow(const WatchEvent& event);
  void start(const std::string& ns, const std::string& name);

  Store& store_;
  Agenda& agenda_;
  Truth& truth_;
  const ResourceType& pods_;
  std::set<std::string> holds_;  // "namespace/pod namespace/claim"
};

}  // namespace cluster
