// A replica of the sweeper in the simulation: the fibers stand for the threads that the program has.
#pragma once

#include <deque>
#include <memory>
#include <variant>

#include "sweeper/elector.h"
#include "sweeper/job_queue.h"
#include "sweeper/sweeper.h"
#include "test/scenarios/runner/scenario.h"
#include "test/sim/process.h"

namespace runner {

class SimSweeper : public SimProcess {
 public:
  // `life`: how many of that name there were before.
  SimSweeper(cluster::Cluster& cluster, const std::string& name, int life, const Product& product);

 private:
  struct Woken {};  // look again: the leadership may have changed
  struct Done {
    snapfreeze::sweeper::Job::Lane lane;
    snapfreeze::sweeper::Outcome outcome;
  };
  using Message = std::variant<Woken, snapfreeze::sweeper::Change, Done>;
  enum Stage { kAtOnce, kOnceHeadStartIsOver, kOnceSynced };

  void watch(snapfreeze::sweeper::Kind kind);
  void wait_for(Stage stage, snapfreeze::Mono until);
  void note_stage();
  void elect();
  void loop();
  void post(Message message);
  std::deque<Message> take_messages();

  cluster::Runtime& runtime_;
  const snapfreeze::sweeper::ThawOn thaw_on_;
  const std::string identity_;
  snapfreeze::sweeper::Elector elector_;
  const snapfreeze::sweeper::Seams seams_;
  snapfreeze::sweeper::Sweeper sweeper_;
  snapfreeze::sweeper::JobQueue queue_;  // no more jobs at once than the driver has threads for
  cluster::Signal reached_;
  Stage stage_ = kAtOnce;
  cluster::Signal posted_;
  std::deque<Message> inbox_;
};

}  // namespace runner
