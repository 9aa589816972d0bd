// A replica of the sweeper in the simulation: the fibers stand for the threads that the program has.
#pragma once

#include <deque>
#include <memory>
#include <variant>

#include "sweeper/election.h"
#include "sweeper/sweeper.h"
#include "test/runner/scenario.h"
#include "test/runner/sim_process.h"

namespace runner {

class SimSweeper : public SimProcess {
 public:
  SimSweeper(cluster::Cluster& cluster, const std::string& name, const Product& product);

 private:
  using Message = std::variant<snapfreeze::sweeper::Change, snapfreeze::sweeper::Outcome>;

  void watch(snapfreeze::sweeper::Kind kind);
  void elect();
  void loop();
  void post(Message message);
  std::deque<Message> wait_for_messages();

  cluster::Runtime& runtime_;
  const snapfreeze::sweeper::ThawOn thaw_on_;
  snapfreeze::sweeper::Election election_;
  const snapfreeze::sweeper::Seams seams_;
  snapfreeze::sweeper::Sweeper sweeper_;
  cluster::Signal posted_;
  std::deque<Message> inbox_;
  bool election_moved_ = false;
};

}  // namespace runner
