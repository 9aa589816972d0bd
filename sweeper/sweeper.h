// The sweeper: what the watches say goes in, jobs come out, and what became of them goes in again. It starts no thread,
// sleeps nowhere and makes calls only in run(), so that a simulation can drive it as well as threads.
//
//   watch --on_change--> World --plan--> take_due() --job--> run() --outcome--> done()
//
// At most one job a session is under way. Every sweeper keeps its world warm; only the leader is given jobs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sweeper/job.h"
#include "sweeper/ledger.h"
#include "sweeper/longhorn/schedule.h"
#include "sweeper/planner.h"
#include "sweeper/seams.h"
#include "sweeper/strays.h"

namespace snapfreeze::sweeper {

class Sweeper {
 public:
  struct Options {
    ThawOn thaw_on = ThawOn::kCaptured;
    bool rescue = true;  // thaw guests that Harvester has left frozen
  };

  Sweeper(const Seams& seams, Settings settings, Options options);

  // One thread at a time, as for all but run().
  void on_change(const Change& change);
  std::vector<Job> take_due();
  void done(const Outcome& outcome);
  // From now on what has begun is brought to its end, and no guest is touched any more.
  void wind_down() { winding_down_ = true; }
  [[nodiscard]] bool idle() const { return ledger_.idle(); }  // no job is under way
  // When take_due() has something next. Earlier after on_change(), done(), and when leadership changes.
  [[nodiscard]] Mono next_wake() const;
  [[nodiscard]] bool synced() const { return world().synced(); }
  [[nodiscard]] const World& world() const { return ledger_.world(); }

  // Any thread, any number of jobs at once; within 60 s.
  [[nodiscard]] Outcome run(const Job& job) const;

 private:
  using Key = Job::Key;
  using About = Key::About;

  Observed now() const;
  void clean_up(Observed now);
  void count_sessions();

  void ask_longhorn(Mono now, std::vector<Job>& jobs);
  std::optional<Job> plan(const Key& key, Observed now);
  std::optional<Job> plan_session(const Key& key, Observed now);
  std::optional<Job> plan_conclusion(const Key& key, ConcludeJob job);
  std::optional<Job> plan_lost_session(const Key& key, Observed now);
  std::optional<Job> plan_stray(const Key& key, Observed now);
  std::optional<Job> plan_rescue(const Key& key, Observed now);

  const Seams& seams_;
  const Settings settings_;
  const bool asks_longhorn_;
  const bool arms_;  // what is ready after minutes is not worth a write ahead
  Ledger ledger_;
  AskSchedule asks_;
  std::map<freeze::Phase, int> counted_;  // as the metrics say
  bool leads_ = false;
  bool winding_down_ = false;
  Mono next_cleaning_ = Mono::max();
};

}  // namespace snapfreeze::sweeper
