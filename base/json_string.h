// The text of a JSON string, for the two writers of JSON: documents and log lines; and what their reader must know of
// UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace snapfreeze {

// Appends `text` in quotes, escaped as RFC 8259 asks. Valid UTF-8 passes through; each invalid byte becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// The offset of the first byte that is not part of well-formed UTF-8 (RFC 3629); the size of `text` if there is none.
[[nodiscard]] std::size_t first_bad_utf8(std::string_view text);

}  // namespace snapfreeze
