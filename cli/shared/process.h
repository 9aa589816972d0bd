// The parts of a long-running subcommand: a clock that a signal stops, the API client, our identity.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "cli/shared/options.h"
#include "kube/https_client.h"

namespace snapfreeze::cli {

// Real time, until it is stopped.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Wall wall() const override { return std::chrono::system_clock::now(); }
  [[nodiscard]] Mono monotonic() const override { return std::chrono::steady_clock::now(); }
  bool wait_until(Mono deadline) override;

  // Every wait, running or future, returns false.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
};

// Waits for SIGTERM or SIGINT on a thread of its own and then calls the function of OnStop, once. Make it before any
// other thread, because all threads must inherit that these signals are blocked. A second signal ends the process at
// once.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  friend class OnStop;

  void wait();
  void call_at_stop(std::function<void()> stop);

  std::mutex mutex_;
  std::function<void()> stop_;
  bool stopping_ = false;
  bool done_ = false;
  std::jthread thread_;
};

// Calls `stop` when the process is told to stop, for as long as this lives. Everything that `stop` uses must live
// longer. The destructor waits for a call that is under way. If the process was already told to stop, `stop` is called
// at once.
class OnStop {
 public:
  OnStop(StopSignals& signals, std::function<void()> stop) : signals_(signals) {
    signals_.call_at_stop(std::move(stop));
  }
  ~OnStop() { signals_.call_at_stop(nullptr); }
  OnStop(const OnStop&) = delete;
  OnStop& operator=(const OnStop&) = delete;

 private:
  StopSignals& signals_;
};

// The clock of a short command, which a signal stops. Make it before any thread.
struct InterruptibleClock {
  StopSignals signals;
  SystemClock clock;
  OnStop on_stop{signals, [this] { clock.stop(); }};
};

struct Connection {
  std::unique_ptr<kube::HttpsClient> api;
  std::string own_namespace;
  std::string server;  // for people: "https://10.0.0.1:6443"
};

// An error names the option, file or field that cannot be used.
Result<Connection> connect(const ConnectOptions& options);

// "" when it has none.
[[nodiscard]] std::string host_name();

// Who this replica is: --identity, or the host's name.
Result<std::string> identity(const CommonOptions& options);

// Says on stderr what is wrong. Returns the exit status.
int fail(const Error& error);

}  // namespace snapfreeze::cli
