// Decides which job runs next. The first thaw of a guest never waits: neither for verdicts, nor for thaws of other
// guests that hang or are retried. All other jobs are bounded, since each holds a connection and a thread. Pure.
#pragma once

#include <deque>
#include <optional>

#include "sweeper/job.h"

namespace snapfreeze::sweeper {

// Not thread-safe.
class JobQueue {
 public:
  // How many first thaws may run side by side. The largest known clusters do not freeze more guests at once.
  static constexpr int kMostThaws = 128;

  // Questions to Longhorn side by side: each of them may hang until its time-out.
  static constexpr int kMostQuestions = 4;

  // Verdicts and the like may take half of `workers`, retries of thaws four times `workers`.
  explicit JobQueue(int workers) : limits_{kMostThaws, 4 * workers, workers / 2, kMostQuestions} {}

  void push(Job job);
  // The next job that may run now. It counts as running until done() is called for its lane.
  std::optional<Job> pop();
  void done(Job::Lane lane) { --running_[index(lane)]; }
  // How many jobs pop() would return now.
  [[nodiscard]] int startable() const;

 private:
  static constexpr int kLanes = 4;
  static std::size_t index(Job::Lane lane) { return static_cast<std::size_t>(lane); }
  [[nodiscard]] int startable(std::size_t lane) const;

  const int limits_[kLanes];
  int running_[kLanes] = {0, 0, 0, 0};
  std::deque<Job> waiting_[kLanes];
};

}  // namespace snapfreeze::sweeper
