// A replica of the sweeper in the simulation: its logic as the program puts it together, with fibers where the driver
// has threads.
#pragma once

#include <string>
#include <vector>

#include "sweeper/elector.h"
#include "sweeper/job_queue.h"
#include "sweeper/leader_api.h"
#include "sweeper/sweeper.h"
#include "test/sim/longhorn.h"
#include "test/sim/mutex.h"
#include "test/sim/process.h"

namespace sim {

struct SweeperOptions {
  snapfreeze::freeze::Policy policy;
  snapfreeze::sweeper::Sweeper::Options what;
  Millis clock_offset{0};
  bool asks_longhorn = true;  // Longhorn's own REST API
};

class SweeperProcess : public Process {
 public:
  // `life`: how many processes of that name there were before.
  SweeperProcess(cluster::Cluster& cluster, const std::string& name, Record& record, const SweeperOptions& options,
                 int life = 0);

  // As the driver does in stop().
  void terminate() override;

  [[nodiscard]] bool leads() const { return elector_.leads_for(Millis(0)); }
  [[nodiscard]] const snapfreeze::sweeper::Sweeper& core() const { return sweeper_; }

 private:
  void elect();
  void watch(snapfreeze::sweeper::Kind kind);
  void wait_for_head_start();
  void plan();
  void work(const snapfreeze::sweeper::Job& job);
  void wind_down();
  [[nodiscard]] bool drained();
  void notify(cluster::Signal& signal);

  cluster::Runtime& runtime_;
  const snapfreeze::sweeper::ThawOn thaw_on_;
  const std::string identity_;
  snapfreeze::sweeper::Elector elector_;
  snapfreeze::sweeper::LeaderApi led_api_;
  snapfreeze::freeze::SessionStore led_sessions_;
  Longhorn longhorn_;
  const snapfreeze::sweeper::Seams seams_;
  Mutex mutex_;  // of the next two, as the driver's
  snapfreeze::sweeper::Sweeper sweeper_;
  snapfreeze::sweeper::JobQueue queue_;  // no more jobs at once than the driver has threads for
  cluster::Signal synced_;
  cluster::Signal changed_;
  std::vector<cluster::FiberRef> watches_;
  int working_ = 0;        // fibers in work()
  bool stopping_ = false;  // no job begins any more
  bool election_over_ = false;
  bool news_ = false;
};

}  // namespace sim
