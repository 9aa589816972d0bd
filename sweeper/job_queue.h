// Which job runs next. The first thaw of a guest never waits: not for verdicts, and not for the thaws of other guests
// that hang or are tried again. Everything else has a bound, since each job holds a connection and a thread. Pure.
#pragma once

#include <deque>
#include <optional>

#include "sweeper/job.h"

namespace snapfreeze::sweeper {

// Not thread-safe.
class JobQueue {
 public:
  // First thaws side by side: more guests than that are not frozen at once on the largest clusters known.
  static constexpr int kMostThaws = 128;

  // `workers`: verdicts and the like side by side are half of it at most, retries of thaws four times as many.
  explicit JobQueue(int workers) : limits_{kMostThaws, 4 * workers, workers / 2} {}

  void push(Job job);
  // The next that may run now. It counts as running until done() is told of its lane.
  std::optional<Job> pop();
  void done(Job::Lane lane) { --running_[index(lane)]; }
  // How many more pop() would hand out now.
  [[nodiscard]] int startable() const;
  [[nodiscard]] int most() const { return limits_[0] + limits_[1] + limits_[2]; }

 private:
  static constexpr int kLanes = 3;
  static std::size_t index(Job::Lane lane) { return static_cast<std::size_t>(lane); }
  [[nodiscard]] int startable(std::size_t lane) const;

  const int limits_[kLanes];
  int running_[kLanes] = {0, 0, 0};
  std::deque<Job> waiting_[kLanes];
};

}  // namespace snapfreeze::sweeper
