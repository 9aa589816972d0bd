// Ports of loopback.
#pragma once

#include <netinet/in.h>

namespace runner {

[[nodiscard]] sockaddr_in loopback(int port);

// Reserved from now on, although the program that will listen there starts later, and may be replaced.
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
