// What happens at a moment in the life of a guest, and not by the clock. Much that goes wrong does so only within a few
// milliseconds of a freeze, a cut or a thaw, which a time drawn out of a minute would hardly ever hit.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "test/double/cluster.h"

namespace sim {

using snapfreeze::Millis;

// A snapshot of its disk is created; somebody's call reaches it; it freezes; a disk is cut; it thaws.
enum class Moment { kCreate, kCall, kFreeze, kCut, kThaw };

struct Aim {
  Moment moment = Moment::kFreeze;
  std::string vm;
  int nth = 1;  // from when one aims
};

// "the next cut of vm0"; with `nth` 3: "the next cut of vm0 but 2"
std::string text(const Aim& aim);

class Moments {
 public:
  // The cluster outlives it.
  explicit Moments(cluster::Cluster& cluster);
  ~Moments();
  Moments(const Moments&) = delete;
  Moments& operator=(const Moments&) = delete;

  // Carries it out so long after that moment, if it comes.
  void when(Aim aim, Millis after, std::function<void()> act);
  // Forgets moments that have not come, and waits until what belongs to the others has been done.
  void finish();

 private:
  struct Waiting {
    Aim aim;
    Millis after;
    std::function<void()> act;
  };

  void note(const cluster::TimelineEntry& entry);
  void run();

  cluster::Runtime& runtime_;
  cluster::Cluster& cluster_;
  cluster::Signal changed_;
  std::vector<Waiting> waiting_;
  std::multimap<cluster::Mono, std::function<void()>> due_;
  bool acting_ = false;
  cluster::FiberRef fiber_;
};

}  // namespace sim
