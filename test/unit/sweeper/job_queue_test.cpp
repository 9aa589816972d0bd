#include "sweeper/job_queue.h"

#include "test/support/catch.h"

using namespace snapfreeze::sweeper;

namespace {

Job job(Job::Lane lane, int id = 0) {
  Job made;
  made.key.id = std::to_string(id);
  if (lane == Job::Lane::kOther) made.what = EndRestJob{};
  made.again = lane == Job::Lane::kThawAgain;
  return made;
}

int start_all(JobQueue& queue) {
  int started = 0;
  while (queue.pop()) ++started;
  return started;
}

}  // namespace

TEST_CASE("a guest's first thaw waits for nothing: not for verdicts, nor for thaws that hang") {
  JobQueue queue(8);
  for (int i = 0; i < 100; ++i) queue.push(job(Job::Lane::kOther, i));
  for (int i = 0; i < 100; ++i) queue.push(job(Job::Lane::kThawAgain, i));
  for (int i = 0; i < 24; ++i) queue.push(job(Job::Lane::kThaw, i));
  CHECK(start_all(queue) == 4 + 32 + 24);
  queue.push(job(Job::Lane::kThaw, 24));
  CHECK(queue.startable() == 1);
  CHECK(queue.pop()->key.id == "24");
}

TEST_CASE("each lane has a bound, and a job that has ended makes room for the next of its lane, in order") {
  JobQueue queue(8);
  for (int i = 0; i < 200; ++i) queue.push(job(Job::Lane::kThaw, i));
  CHECK(start_all(queue) == JobQueue::kMostThaws);
  queue.done(Job::Lane::kThaw);
  CHECK(queue.pop()->key.id == "128");
  CHECK_FALSE(queue.pop());
  int most = JobQueue::kMostThaws;
  for (int i = 0; i < 200; ++i) queue.push(job(Job::Lane::kThawAgain, i));
  for (int i = 0; i < 200; ++i) queue.push(job(Job::Lane::kOther, i));
  most += start_all(queue);
  CHECK(most == 128 + 32 + 4);
}
