#include "sweeper/longhorn/look_up.h"

#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/thread.h"

namespace snapfreeze::sweeper {

// Shared with the thread that looks, which may outlive whoever asked.
struct LookUp::State {
  explicit State(std::string name) : host(std::move(name)) {}

  const std::string host;
  std::mutex mutex;
  std::condition_variable changed;
  std::string found;
  std::string trouble;
  bool looking = false;
  bool stopped = false;
};

namespace {

std::string numeric(const addrinfo& found) {
  char text[NI_MAXHOST];
  const int error = getnameinfo(found.ai_addr, found.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? text : "";
}

// The address, or "" and the trouble.
std::pair<std::string, std::string> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &first);
  if (error != 0) return {"", gai_strerror(error)};
  std::string address = numeric(*first);
  freeaddrinfo(first);
  return {std::move(address), "no address"};
}

}  // namespace

LookUp::LookUp(std::string host) : state_(std::make_shared<State>(std::move(host))) {}

Result<std::string> LookUp::address(Mono deadline) {
  std::unique_lock lock(state_->mutex);
  if (state_->found.empty() && !state_->looking && !state_->stopped) {
    state_->looking = true;
    start_thread("longhorn-name", [state = state_] {
      auto [address, trouble] = look_up(state->host);
      const std::lock_guard guard(state->mutex);
      state->found = std::move(address);
      state->trouble = std::move(trouble);
      state->looking = false;
      state->changed.notify_all();
    }).detach();
  }
  state_->changed.wait_until(lock, deadline, [&] { return !state_->looking || state_->stopped; });
  if (state_->stopped) return Error{Code::kCancelled, "stopping"};
  if (!state_->found.empty()) return state_->found;
  return Error{Code::kTransient,
               "looking up " + state_->host + ": " + (state_->looking ? "timed out" : state_->trouble)};
}

void LookUp::forget() {
  const std::lock_guard lock(state_->mutex);
  state_->found.clear();
}

void LookUp::stop() {
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  state_->changed.notify_all();
}

}  // namespace snapfreeze::sweeper
