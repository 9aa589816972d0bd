// A port of loopback that is ours from now on, although the program that will listen there comes later, and may be
// replaced.
#pragma once

namespace runner {

class ReservedPort {
 public:
  // Throws std::system_error.
  ReservedPort();
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  [[nodiscard]] int number() const { return number_; }

 private:
  int socket_;
  int number_ = 0;
};

}  // namespace runner
