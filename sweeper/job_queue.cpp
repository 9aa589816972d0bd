#include "sweeper/job_queue.h"

#include <algorithm>
#include <utility>

namespace snapfreeze::sweeper {

void JobQueue::push(Job job) {
  auto& lane = waiting_[index(job.lane())];
  lane.push_back(std::move(job));
}

std::optional<Job> JobQueue::pop() {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (startable(lane) == 0) continue;
    Job job = std::move(waiting_[lane].front());
    waiting_[lane].pop_front();
    ++running_[lane];
    return job;
  }
  return std::nullopt;
}

int JobQueue::startable(std::size_t lane) const {
  return std::clamp(limits_[lane] - running_[lane], 0, static_cast<int>(waiting_[lane].size()));
}

int JobQueue::startable() const {
  int sum = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) sum += startable(lane);
  return sum;
}

}  // namespace snapfreeze::sweeper
