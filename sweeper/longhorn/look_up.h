// The address of a host. getaddrinfo() can neither be bounded nor stopped, and takes half a minute where no name server
// answers: it runs in a thread that nobody waits for.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::sweeper {

// Thread-safe.
class LookUp {
 public:
  explicit LookUp(std::string host);

  // As text, "10.43.7.1"; the first that was found, kept until forget(). kTransient: there is none by `deadline`.
  Result<std::string> address(Mono deadline);
  // It did not answer: the name may have moved.
  void forget();
  // Whoever waits stops waiting.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace snapfreeze::sweeper
