// The sweeper on threads: one a watch, one that plans, one for the election, and workers that make the calls, as many
// as there are calls under way (see job_queue.h) and a few more. All are named and joined. What is thrown on one of
// them ends the process: the next one goes on from the Leases.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sweeper/elector.h"
#include "sweeper/job_queue.h"
#include "sweeper/sweeper.h"

namespace snapfreeze::sweeper {

class Driver {
 public:
  // Snapshots wait so long for what tells which of them are finished, and need not be kept.
  static constexpr std::chrono::seconds kHeadStart{10};
  // The longest that conclusions may take while it stops.
  static constexpr std::chrono::seconds kDrain{8};

  struct Options {
    std::string own_namespace;
    ThawOn thaw_on = ThawOn::kCaptured;
    int workers = 8;  // see job_queue.h; at least 2
  };

  // All outlive it.
  Driver(Sweeper& sweeper, Elector& elector, kube::KubeApi& api, Clock& clock, Metrics& metrics, Options options);
  ~Driver();  // as stop()
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void start();

  // After `clock` was stopped and the running streams were ended, which ends the watches. Sessions whose guest is
  // thawed are concluded within kDrain, jobs end with the call that they are at, and the leadership is released: 20 s
  // at most.
  void stop();

  // Everything was listed once. Any thread.
  [[nodiscard]] bool synced() const;

 private:
  // A worker that has had nothing to do for so long ends, unless few are left.
  static constexpr std::chrono::seconds kIdleWorker{30};

  void watch(Kind kind);
  void plan();
  void elect();
  void work(int id);
  void start_workers();
  void join_workers();
  void drain();

  Sweeper& sweeper_;
  Elector& elector_;
  kube::KubeApi& api_;
  Clock& clock_;
  Metrics& metrics_;
  const Options options_;

  mutable std::mutex mutex_;  // of the sweeper and of all below; never held across a call
  std::condition_variable plan_;
  std::condition_variable work_;
  std::condition_variable election_;
  std::condition_variable synced_;
  std::condition_variable drained_;
  std::condition_variable worker_left_;
  JobQueue queue_;
  int idle_workers_ = 0;
  int next_worker_ = 0;
  std::map<int, std::jthread> workers_;
  std::vector<std::jthread> finished_;  // of the workers, to be joined
  bool stopping_ = false;
  bool election_over_ = false;
  std::vector<std::jthread> threads_;
  std::jthread elector_thread_;
};

}  // namespace snapfreeze::sweeper
