#include "cli/shared/output.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/shared/exit_status.h"

namespace snapfreeze::cli {
namespace {

constexpr Millis kBetweenLooks{100};

bool reader_is_gone() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

}  // namespace

void outlive_readers() {
  signal(SIGPIPE, SIG_IGN);
}

bool output_is_lost() {
  return std::ferror(stdout) != 0 || reader_is_gone();
}

bool wait_while_read(Clock& clock, Millis wait) {
  const Mono end = clock.monotonic() + wait;
  while (!output_is_lost()) {
    const auto left = end - clock.monotonic();
    if (left <= Mono::duration::zero()) return true;
    if (!clock.wait(std::min(kBetweenLooks, std::chrono::ceil<Millis>(left)))) return false;
  }
  return false;
}

int end_output(int status) {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) return status;
  // Of a write that failed earlier, the reason is not known any more.
  const std::string why = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
  if (!reader_is_gone()) std::fprintf(stderr, "snapfreeze: cannot write the output%s\n", why.c_str());
  return kFinding;
}

}  // namespace snapfreeze::cli
