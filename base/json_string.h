// The text of a JSON string, for the two writers of JSON: documents and log lines.
#pragma once

#include <string>
#include <string_view>

namespace snapfreeze {

// Appends `text` in quotes, escaped as RFC 8259 asks. Valid UTF-8 passes through; each invalid byte becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace snapfreeze
