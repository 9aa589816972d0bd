#include "cli/shared/table.h"

#include <algorithm>

namespace snapfreeze::cli {
namespace {

constexpr std::size_t kGap = 3;

const char* escape_of(Colour colour) {
  switch (colour) {
    case Colour::kGood:
      return "\033[32m";
    case Colour::kBad:
      return "\033[31m";
    case Colour::kWarning:
      return "\033[33m";
    case Colour::kDim:
      return "\033[2m";
    case Colour::kNone:
      break;
  }
  return "";
}

std::string shown(const Cell& cell) {
  return cell.text.empty() ? "-" : printable(cell.text);
}

// The columns that it takes on a terminal: UTF-8's continuation bytes take none.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string coloured(const std::string& text, Colour colour, bool colours) {
  return colours && colour != Colour::kNone ? escape_of(colour) + text + "\033[0m" : text;
}

std::string printable(const std::string& text) {
  std::string clean = text;
  std::replace_if(
      clean.begin(), clean.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return clean;
}

std::string to_table(const std::vector<std::string>& header, const std::vector<Row>& rows, bool colours) {
  std::vector<std::size_t> widths;
  widths.reserve(header.size());
  for (const std::string& title : header) widths.push_back(width_of(title));
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(shown(row[i])));
  }
  std::string text;
  const auto add_line = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = shown(row[i]);
      text += coloured(cell, row[i].colour, colours);
      if (i + 1 < row.size()) text.append(widths[i] - width_of(cell) + kGap, ' ');
    }
    text += '\n';
  };
  Row titles;
  titles.reserve(header.size());
  for (const std::string& title : header) titles.push_back({title, Colour::kNone});
  add_line(titles);
  for (const Row& row : rows) add_line(row);
  return text;
}

}  // namespace snapfreeze::cli
