// A program that is run beside, and ended by its pid.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"

namespace runner {

class Child {
 public:
  // Its output goes to `log`, which is made anew. It dies with us. Throws std::system_error.
  Child(const std::vector<std::string>& arguments, const std::string& log);
  ~Child();  // as end()
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number);
  // SIGTERM, and SIGKILL when it is still there after `patience`; returns when it is gone.
  void end(snapfreeze::Millis patience = snapfreeze::Millis(5000));

 private:
  pid_t pid_ = 0;
  bool gone_ = false;
};

}  // namespace runner
