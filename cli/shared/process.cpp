#include "cli/shared/process.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/thread.h"
#include "cli/shared/version.h"
#include "kube/config.h"

namespace snapfreeze::cli {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

bool SystemClock::wait_until(Mono deadline) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, deadline, [this] { return stopped_; });
}

void SystemClock::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

StopSignals::StopSignals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // If a peer goes away while we write, that write fails.
  signal(SIGPIPE, SIG_IGN);
  thread_ = start_thread("signals", [this] { wait(); });
}

StopSignals::~StopSignals() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void StopSignals::call_at_stop(std::function<void()> stop) {
  const std::lock_guard lock(mutex_);
  stop_ = std::move(stop);
  if (stopping_ && stop_) stop_();
}

void StopSignals::wait() {
  const sigset_t signals = stop_signals();
  for (;;) {
    int received = 0;
    sigwait(&signals, &received);
    const std::lock_guard lock(mutex_);
    if (done_) return;
    if (stopping_) _exit(128 + received);
    stopping_ = true;
    if (stop_) stop_();
  }
}

Result<Connection> connect(const ConnectOptions& options) {
  const auto config = kube::load_config(options.kubeconfig, options.context);
  if (!config) return config.error();
  auto api = kube::HttpsClient::create(*config, std::string("snapfreeze/") + version());
  if (!api) return api.error();
  return Connection{std::move(*api), options.namespace_.empty() ? config->namespace_ : options.namespace_,
                    "https://" + config->host + ":" + std::to_string(config->port) + config->path_prefix};
}

Result<std::string> identity(const CommonOptions& options) {
  std::string name = options.identity.empty() ? host_name() : options.identity;
  if (name.empty()) return Error{Code::kMalformed, "--identity: the host has no name; give one"};
  return name;
}

int fail(const Error& error) {
  std::fprintf(stderr, "snapfreeze: %s\n", error.message.c_str());
  return 1;
}

}  // namespace snapfreeze::cli
