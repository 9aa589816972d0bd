// Text in columns, as kubectl prints it. Pure.
#pragma once

#include <string>
#include <vector>

namespace snapfreeze::cli {

enum class Colour { kNone, kGood, kBad, kWarning, kDim };

// The text in that colour by ANSI escapes; unchanged when `colours` is false or it is kNone.
[[nodiscard]] std::string coloured(const std::string& text, Colour colour, bool colours);

// Control characters become '?', because a text from the cluster must not control a terminal.
[[nodiscard]] std::string printable(const std::string& text);

struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
};
using Row = std::vector<Cell>;

// One line for each row, columns three spaces apart, nothing after the last one. An empty cell is printed as "-".
[[nodiscard]] std::string to_table(const std::vector<std::string>& header, const std::vector<Row>& rows, bool colours);

}  // namespace snapfreeze::cli
