// A child process, ended by its pid.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"

namespace runner {

class Child {
 public:
  // Its output goes to `log`, a new file. It dies when this process does. Throws std::system_error.
  Child(const std::vector<std::string>& arguments, const std::string& log);
  ~Child();  // as end()
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number);
  // Sends SIGTERM, and SIGKILL if it still runs after `patience`. Returns when it has ended.
  void end(snapfreeze::Millis patience = snapfreeze::Millis(5000));

 private:
  pid_t pid_ = 0;
  bool gone_ = false;
};

}  // namespace runner
