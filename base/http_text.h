// The words of HTTP/1.1 (RFC 9110 and 9112), for those who read replies and those who read requests.
#pragma once

#include <string>
#include <string_view>

namespace snapfreeze {

// A name: of a method, or of a header.
[[nodiscard]] bool is_http_token(std::string_view text);
// What no value may contain. A tab is none.
[[nodiscard]] bool is_http_control(char c);
// Changes ASCII letters only.
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right);
// Without the spaces and tabs around it.
[[nodiscard]] std::string_view trim(std::string_view text);
// Whether a comma-separated list ("keep-alive, close") has the word, in any case.
[[nodiscard]] bool list_contains(std::string_view list, std::string_view word);

}  // namespace snapfreeze
