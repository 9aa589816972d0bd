#include "cli/shared/columns.h"

#include <sstream>

namespace snapfreeze::cli {
namespace {

constexpr std::size_t kOfExamples = 4;

std::size_t indent_of(const std::string& line) {
  const auto first = line.find_first_not_of(' ');
  return first == std::string::npos ? 0 : first;
}

// Where the last column begins: behind the first gap of two blanks, or else where the line does.
std::size_t last_column(const std::string& line) {
  const std::size_t first = indent_of(line);
  const auto gap = line.find("  ", first);
  const auto column = gap == std::string::npos ? gap : line.find_first_not_of(' ', gap);
  return column == std::string::npos ? first : column;
}

// `begin`: what stands before the words in the first line. Further lines are indented to `column`.
std::string fill(const std::string& begin, const std::string& words, std::size_t column) {
  std::string text;
  std::string line = begin;
  bool empty = true;
  std::istringstream rest(words);
  for (std::string word; rest >> word; empty = false) {
    if (!empty && line.size() + 1 + word.size() > kColumns) {
      text += line + "\n";
      line = std::string(column, ' ');
      empty = true;
    }
    line += (empty ? "" : " ") + word;
  }
  return text + line + "\n";
}

}  // namespace

std::string within_columns(const std::string& text) {
  std::string fitted;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) fitted += fill("", paragraph, 0);
    paragraph.clear();
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t indent = indent_of(line);
    if (!line.empty() && indent == 0) {
      if (line.starts_with("Usage: ")) end_paragraph();
      paragraph += (paragraph.empty() ? "" : " ") + line;
      // A heading, or the usage, stands alone.
      if (line.ends_with(':') || line.starts_with("Usage: ")) end_paragraph();
      continue;
    }
    end_paragraph();
    const std::size_t column = last_column(line);
    // An option's description may stand alone in its line, far to the right.
    const bool example = indent == kOfExamples;
    fitted +=
        example || line.size() <= kColumns ? line + "\n" : fill(line.substr(0, column), line.substr(column), column);
  }
  end_paragraph();
  return fitted;
}

}  // namespace snapfreeze::cli
