#include "cli/shared/yaml.h"

#include <algorithm>
#include <cctype>

namespace snapfreeze::cli {
namespace {

bool plain(const std::string& key) {
  const auto harmless = [](unsigned char c) { return std::isalpha(c) != 0; };
  return key.size() > 1 && std::all_of(key.begin(), key.end(), harmless);
}

bool is_block(const Json& value) {
  return (value.is_object() && !value.members().empty()) || (value.is_array() && !value.items().empty());
}

// `first`: the indent is already there, after a dash.
void append(std::string& out, const Json& value, std::size_t indent, bool first) {
  const auto begin_line = [&] {
    if (!first) out.append(indent, ' ');
    first = false;
  };
  for (const auto& [key, member] : value.members()) {
    begin_line();
    out += (plain(key) ? key : Json(key).dump()) + ":";
    if (is_block(member)) {
      out += '\n';
      append(out, member, indent + 2, false);
    } else {
      out += " " + member.dump() + "\n";
    }
  }
  for (const Json& item : value.items()) {
    begin_line();
    out += "- ";
    if (is_block(item)) {
      append(out, item, indent + 2, true);
    } else {
      out += item.dump() + "\n";
    }
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  if (!is_block(value)) return value.dump() + "\n";
  std::string out;
  append(out, value, 0, false);
  return out;
}

}  // namespace snapfreeze::cli
