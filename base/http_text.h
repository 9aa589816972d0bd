// The words of HTTP/1.1 (RFC 9110 and 9112), for those who read replies and those who read requests.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace snapfreeze {

// A name: of a method, or of a header.
[[nodiscard]] bool is_http_token(std::string_view text);
// What no value may contain. A tab is none.
[[nodiscard]] bool is_http_control(char c);
[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right);
// Without the spaces and tabs around it.
[[nodiscard]] std::string_view trim(std::string_view text);
// Whether a comma-separated list ("keep-alive, close") has the word, in any case.
[[nodiscard]] bool list_contains(std::string_view list, std::string_view word);

// nullopt: there is something else beside the number, or it is too large for the type.
template <class Number>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace snapfreeze
