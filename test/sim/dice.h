// What a seed decides. Made of whole numbers only, so that every standard library draws the same.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"

namespace sim {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  // Uniform in [low, high].
  int number(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  snapfreeze::Millis millis(int low, int high) { return snapfreeze::Millis(number(low, high)); }
  bool one_in(int n) { return number(1, n) == 1; }
  template <class T>
  T of(std::initializer_list<T> choices) {
    return *(choices.begin() + number(0, static_cast<int>(choices.size()) - 1));
  }
  template <class T>
  const T& of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(number(0, static_cast<int>(choices.size()) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace sim
