#include "test/double/api/duration.h"

#include <cctype>
#include <cmath>
#include <map>

namespace cluster {

std::optional<std::chrono::nanoseconds> parse_go_duration(const std::string& text) {
  static const std::map<std::string, double> kUnits = {{"h", 3600e9}, {"m", 60e9}, {"s", 1e9},
                                                       {"ms", 1e6},   {"us", 1e3}, {"ns", 1}};
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  if (text.substr(at) == "0") return std::chrono::nanoseconds(0);
  double total = 0;
  bool any = false;
  while (at < text.size()) {
    const std::size_t digits = at;
    while (at < text.size() && (std::isdigit(static_cast<unsigned char>(text[at])) != 0 || text[at] == '.')) ++at;
    const std::size_t unit = at;
    while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0) ++at;
    const auto found = kUnits.find(text.substr(unit, at - unit));
    if (digits == unit || found == kUnits.end()) return std::nullopt;
    total += std::stod(text.substr(digits, unit - digits)) * found->second;
    any = true;
  }
  if (!any) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(text[0] == '-' ? -total : total));
}

}  // namespace cluster
