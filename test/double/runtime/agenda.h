// What the double does later: one fiber that carries out short actions at their time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "test/double/runtime/runtime.h"

namespace cluster {

// The caller of every member holds the runtime's lock; actions run with it held and never block. An action that finds
// in an object what no schema allows ends there.
class Agenda {
 public:
  explicit Agenda(Runtime& runtime);
  ~Agenda() { stop(); }

  void stop();  // without the lock; nothing is carried out any more

  void at(Mono when, std::function<void()> action);
  void after(std::chrono::nanoseconds delay, std::function<void()> action) {
    at(runtime_.now() + delay, std::move(action));
  }

 private:
  void run();

  Runtime& runtime_;
  Signal changed_;
  std::uint64_t next_id_ = 0;
  std::map<std::pair<Mono, std::uint64_t>, std::function<void()>> actions_;
  FiberRef fiber_;
};

}  // namespace cluster
