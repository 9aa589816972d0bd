// Finds the VM that has a disk, when the snapshot does not name it, by listing the guests of the namespace.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kube/api.h"
#include "webhook/budget.h"
#include "webhook/slots.h"

namespace snapfreeze::webhook {

struct Found {
  enum class What {
    kVm,      // one guest has the disk: `vm`
    kNobody,  // no guest that is not off has it
    kShared,  // several have it: no single freeze covers the disk
    kBusy,    // no list was available in time, or as many wait for one as may
  };
  What what = What::kNobody;
  std::string vm;
};

// A list of a namespace is large and slow, and a backup of many disks, or anyone who means harm, asks for many at once.
// So one list of a namespace is read at a time, and serves everyone who asked before it began: it is as fresh as one of
// their own. It is read in pages, of which only names are kept. `lists` bounds how many lists are read at once, and
// whoever waits for one holds one of `waits`. Thread-safe; holds no lock across a call.
class VmFinder {
 public:
  VmFinder(kube::KubeApi& api, Clock& clock, Slots& lists, Slots& waits)
      : api_(api), clock_(clock), lists_(lists), waits_(waits) {}

  // Only for users who may freeze every guest of the namespace. Errors are those of kube/rest.h.
  Result<Found> find(const std::string& ns, const std::string& disk, const Budget& budget);

 private:
  struct Guest {
    std::string vm;
    std::vector<std::string> claims;
  };
  struct Namespace {
    bool listing = false;
    int asking = 0;
    Mono begun{Mono::min()};  // when the list of `guests` began
    std::vector<Guest> guests;
  };
  class Asking;

  static Found look_up(const std::vector<Guest>& guests, const std::string& disk);
  Result<std::vector<Guest>> list(const std::string& ns, const Budget& budget);

  kube::KubeApi& api_;
  Clock& clock_;
  Slots& lists_;
  Slots& waits_;
  std::mutex mutex_;
  std::map<std::string, Namespace> namespaces_;  // those that somebody is asking about
};

}  // namespace snapfreeze::webhook
