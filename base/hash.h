// FNV-1a: a fast hash that distinguishes things, and proves nothing. Anyone who chooses the texts can find two with one
// hash.
#pragma once

#include <cstdint>
#include <string_view>

namespace snapfreeze {

inline constexpr std::uint64_t kFnvStart = 14695981039346656037ULL;

// Another start gives another hash of the same text.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t start = kFnvStart) {
  constexpr std::uint64_t kPrime = 1099511628211ULL;
  std::uint64_t state = start;
  for (const char byte : text) state = (state ^ static_cast<unsigned char>(byte)) * kPrime;
  return state;
}

}  // namespace snapfreeze
