#include "kube/resolver.h"

#include <poll.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "base/thread.h"

namespace snapfreeze::kube {

using Found = Result<std::vector<tls::Address>>;

// Shared with the thread that looks, which may outlive the resolver.
struct Resolver::State {
  const std::string host;
  const std::string port;
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Found> found;  // guarded by mutex, as all of the following
  bool numeric = false;
  bool looking = false;

  State(std::string name, int number) : host(std::move(name)), port(std::to_string(number)) {}
  static void begin(const std::shared_ptr<State>& state);
};

namespace {

// How soon a waiting thread sees stop_fd.
constexpr Millis kSlice{50};

bool readable(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  return fd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

}  // namespace

// Called under the lock, so that the thread cannot be done before it is known to look.
void Resolver::State::begin(const std::shared_ptr<State>& state) {
  try {
    start_thread("resolver", [state] {
      Found looked_up = tls::look_up(state->host, state->port, tls::Names::kAny);
      const std::lock_guard guard(state->mutex);
      state->found = std::move(looked_up);
      state->looking = false;
      state->done.notify_all();
    }).detach();
    state->found.reset();
    state->looking = true;
  } catch (const std::system_error& error) {
    state->found = Error{Code::kTransient, std::string("no thread for it: ") + error.what()};
  }
}

Resolver::Resolver(std::string host, int port) : state_(std::make_shared<State>(std::move(host), port)) {
  Found numeric = tls::look_up(state_->host, state_->port, tls::Names::kNumericOnly);
  state_->numeric = numeric.ok();
  if (numeric.ok()) state_->found = std::move(numeric);
}

Result<std::vector<tls::Address>> Resolver::addresses(const tls::WaitLimit& limit) {
  State& state = *state_;
  const std::string looking_up = "looking up " + state.host;
  std::unique_lock lock(state.mutex);
  if (state.found && state.found->ok()) return *state.found;
  if (!state.looking) State::begin(state_);
  while (state.looking) {
    const Mono now = std::chrono::steady_clock::now();
    if (now >= limit.deadline) return Error{Code::kTransient, looking_up + ": timed out"};
    if (readable(limit.stop_fd)) return Error{Code::kCancelled, "stopped while " + looking_up};
    state.done.wait_until(lock, std::min<Mono>(now + kSlice, limit.deadline));
  }
  // Another caller may have found that it does not answer, while this one woke up.
  if (!state.found) return Error{Code::kTransient, looking_up + ": its addresses do not answer"};
  if (!state.found->ok()) return Error{Code::kTransient, looking_up + ": " + state.found->error().message};
  return *state.found;
}

void Resolver::forget() {
  const std::lock_guard lock(state_->mutex);
  // An IP address stays what it is.
  if (!state_->numeric && !state_->looking) state_->found.reset();
}

}  // namespace snapfreeze::kube
