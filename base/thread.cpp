#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <utility>

namespace snapfreeze {
namespace {

constexpr std::size_t kLongestName = 15;

// Those that the processor raises stay, or a sanitizer could not say what happened.
void leave_signals_to_others() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) sigdelset(&signals, fault);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

std::jthread start_thread(std::string name, std::function<void()> body) {
  name.resize(std::min(name.size(), kLongestName));
  return std::jthread([name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.c_str());
    leave_signals_to_others();
    body();
  });
}

}  // namespace snapfreeze
