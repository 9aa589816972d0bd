// Numbers that are written in text.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace snapfreeze {

// nullopt: there is something else beside the number, or it is too large for the type.
template <class Number>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace snapfreeze
