#include "test/scenarios/runner/fields.h"

#include <algorithm>
#include <numeric>

#include "base/time.h"

namespace runner {
namespace {

using snapfreeze::Millis;

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

std::string place(const std::string& file, const YAML::Node& node) {
  return node.IsDefined() ? file + ":" + std::to_string(node.Mark().line + 1) : file;
}

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  const auto closer = [&](const std::string& a, const std::string& b) { return distance(a, word) < distance(b, word); };
  const auto found = std::min_element(known.begin(), known.end(), closer);
  return found == known.end() ? "" : *found;
}

Fields::Fields(std::string file, const YAML::Node& node, std::string what)
    : file_(std::move(file)), node_(node), what_(std::move(what)) {
  if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) {
    throw FileError(place(file_, node_) + ": " + what_ + " must be a mapping of keys to values");
  }
}

YAML::Node Fields::node(const std::string& key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  if (!node_.IsDefined() || node_.IsNull()) return YAML::Node(YAML::NodeType::Undefined);
  const YAML::Node& read_only = node_;  // or the look-up would create the key
  return read_only[key];
}

bool Fields::has(const std::string& key) {
  return node(key).IsDefined();
}

std::string Fields::text(const std::string& key, const std::string& otherwise) {
  const YAML::Node value = node(key);
  if (!value.IsDefined()) return otherwise;
  if (!value.IsScalar()) fail(key, "must be one value");
  return value.Scalar();
}

std::string Fields::word(const std::string& key, const std::vector<std::string>& words, const std::string& otherwise) {
  const std::string value = text(key, otherwise);
  if (std::find(words.begin(), words.end(), value) != words.end()) return value;
  fail(key, "is '" + value + "', must be one of: " + joined(words));
}

int Fields::count(const std::string& key, int otherwise) {
  const std::string value = text(key, std::to_string(otherwise));
  const bool digits = !value.empty() && value.size() < 7 && value.find_first_not_of("0123456789") == std::string::npos;
  if (!digits && has(key)) fail(key, "is '" + value + "', must be a number such as 2");
  return std::stoi(value);
}

bool Fields::yes(const std::string& key, bool otherwise) {
  return word(key, {"yes", "no"}, otherwise ? "yes" : "no") == "yes";
}

Millis Fields::duration(const std::string& key, Millis otherwise) {
  if (!has(key)) return otherwise;
  const auto parsed = snapfreeze::parse_duration(text(key));
  if (!parsed) fail(key, "is '" + text(key) + "', must be a duration such as 500ms, 2s or 1m30s");
  return *parsed;
}

std::optional<Millis> Fields::bound(const std::string& key, std::optional<Millis> otherwise) {
  if (!has(key)) return otherwise;
  if (text(key) == "never") return std::nullopt;
  return duration(key, Millis(0));
}

std::vector<std::string> Fields::texts(const std::string& key) {
  const YAML::Node value = node(key);
  if (!value.IsDefined()) return {};
  if (value.IsScalar()) return {value.Scalar()};
  if (!value.IsSequence()) fail(key, "must be one value or a list of them");
  std::vector<std::string> all;
  for (const YAML::Node& item : value) all.push_back(item.Scalar());
  return all;
}

Fields Fields::fields(const std::string& key) {
  return {file_, node(key), what_ + "." + key};
}

void Fields::named(const std::string& key, const std::function<void(const std::string&, Fields)>& each) {
  Fields map = fields(key);
  for (const std::string& name : map.keys()) each(name, map.fields(name));
}

void Fields::listed(const std::string& key, const std::function<void(Fields)>& each) {
  const YAML::Node list = node(key);
  if (!list.IsDefined()) return;
  if (!list.IsSequence()) fail(key, "must be a list, each item beginning with '- '");
  for (const YAML::Node& item : list) each(Fields(file_, item, what_ + "." + key));
}

void Fields::fail(const std::string& key, const std::string& message) {
  throw FileError(place_of(key) + ": " + what_ + "." + key + " " + message);
}

std::string Fields::place_of(const std::string& key) {
  const YAML::Node value = node(key);
  return place(file_, value.IsDefined() ? value : node_);
}

std::vector<std::string> Fields::keys() const {
  std::vector<std::string> all;
  if (node_.IsDefined() && node_.IsMap()) {
    for (const auto& member : node_) all.push_back(member.first.Scalar());
  }
  return all;
}

void Fields::finish() const {
  if (!node_.IsDefined() || !node_.IsMap()) return;
  std::vector<std::string> seen;
  for (const auto& member : node_) {
    const std::string key = member.first.Scalar();
    const std::string at = place(file_, member.first) + ": " + what_ + ": ";
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) throw FileError(at + "'" + key + "' is given twice");
    seen.push_back(key);
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    throw FileError(at + "unknown key '" + key + "'; did you mean '" + nearest(key, known_) + "'?");
  }
}

}  // namespace runner
