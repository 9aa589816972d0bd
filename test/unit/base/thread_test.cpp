#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>

#include "test/support/catch.h"

namespace snapfreeze {
namespace {

std::string own_name() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

TEST_CASE("A thread has its name from its first step on, as far as Linux keeps it") {
  std::string name;
  start_thread("work-7", [&] { name = own_name(); }).join();
  CHECK(name == "work-7");
  start_thread("watch-volumesnapshotcontents", [&] { name = own_name(); }).join();
  CHECK(name == "watch-volumesna");
  CHECK(own_name() != "work-7");
}

TEST_CASE("A thread is joined at its end") {
  std::atomic<bool> done{false};
  {
    const std::jthread thread = start_thread("slow", [&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      done = true;
    });
  }
  CHECK(done);
}

TEST_CASE("Signals are left to the threads that wait for them, but what the processor raises is not hidden") {
  sigset_t blocked;
  start_thread("quiet", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); }).join();
  for (const int signal : {SIGTERM, SIGINT, SIGPIPE, SIGHUP}) CHECK(sigismember(&blocked, signal) == 1);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) CHECK(sigismember(&blocked, signal) == 0);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  CHECK(sigismember(&own, SIGTERM) == 0);
}

}  // namespace
}  // namespace snapfreeze
