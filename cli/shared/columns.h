// Makes the text of --help fit a terminal. Pure.
#pragma once

#include <string>

namespace snapfreeze::cli {

inline constexpr std::size_t kColumns = 80;

// Lines that begin at the margin and follow each other are a paragraph, and filled anew. A longer line that is indented
// goes on below its last column: an option's below its description. One with 4 blanks in front is an example, and
// stays.
[[nodiscard]] std::string within_columns(const std::string& text);

}  // namespace snapfreeze::cli
