#include "test/scenarios/runner/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

namespace runner {

using snapfreeze::Millis;

Child::Child(const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (output < 0) throw std::system_error(errno, std::generic_category(), log);
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    // It dies with the thread that made it, at the latest with the process.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(output);
}

Child::~Child() {
  end();
}

bool Child::running() {
  if (!gone_ && ::waitpid(pid_, nullptr, WNOHANG) == pid_) gone_ = true;
  return !gone_;
}

void Child::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void Child::end(Millis patience) {
  signal(SIGTERM);
  for (Millis waited{0}; waited < patience && running(); waited += Millis(10)) std::this_thread::sleep_for(Millis(10));
  signal(SIGKILL);
  while (running()) std::this_thread::sleep_for(Millis(5));
}

}  // namespace runner
