// A replica of the sweeper in the simulation: the fibers stand for the threads that the program has.
#pragma once

#include <deque>
#include <memory>
#include <variant>

#include "sweeper/elector.h"
#include "sweeper/sweeper.h"
#include "test/runner/scenario.h"
#include "test/runner/sim_process.h"

namespace runner {

class SimSweeper : public SimProcess {
 public:
  // `life`: how many of that name there were before.
  SimSweeper(cluster::Cluster& cluster, const std::string& name, int life, const Product& product);

 private:
  struct Woken {};  // look again: the leadership may have changed
  using Message = std::variant<Woken, snapfreeze::sweeper::Change, snapfreeze::sweeper::Outcome>;

  void watch(snapfreeze::sweeper::Kind kind);
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
  cluster::Signal posted_;
  std::deque<Message> inbox_;
};

}  // namespace runner
