#include "test/double/api/selectors.h"

#include <algorithm>
#include <stdexcept>

#include "test/double/api/part.h"

namespace cluster {
namespace {

std::string trim(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

// At commas outside of parentheses.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      parts.push_back(trim(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!trim(part).empty()) parts.push_back(trim(part));
  return parts;
}

std::string escape_pointer(const std::string& dotted) {
  std::string path;
  for (const char c : "." + dotted) path += c == '.' ? '/' : c;
  return path;
}

}  // namespace

Selector Selector::parse(const std::string& labels, const std::string& fields, bool any_field) {
  Selector selector;
  for (const std::string& part : split(labels)) {
    const std::size_t open = part.find('(');
    if (open != std::string::npos && part.back() == ')') {
      const std::string head = trim(part.substr(0, open));
      const std::size_t space = head.rfind(' ');
      const std::string word = space == std::string::npos ? "" : head.substr(space + 1);
      if (word != "in" && word != "notin") throw std::invalid_argument("unable to parse requirement: " + part);
      selector.requirements_.push_back({trim(head.substr(0, space)), word == "in" ? Operator::kIn : Operator::kNotIn,
                                        split(part.substr(open + 1, part.size() - open - 2))});
    } else if (const std::size_t equals = part.find('='); equals != std::string::npos) {
      const bool negated = equals > 0 && part[equals - 1] == '!';
      const std::size_t value = part.find_first_not_of('=', equals);
      selector.requirements_.push_back({trim(part.substr(0, negated ? equals - 1 : equals)),
                                        negated ? Operator::kNotIn : Operator::kIn,
                                        {value == std::string::npos ? "" : trim(part.substr(value))}});
    } else if (part.find(' ') != std::string::npos || part.empty()) {
      throw std::invalid_argument("unable to parse requirement: " + part);
    } else if (part[0] == '!') {
      selector.requirements_.push_back({trim(part.substr(1)), Operator::kAbsent, {}});
    } else {
      selector.requirements_.push_back({part, Operator::kExists, {}});
    }
  }
  for (const std::string& part : split(fields)) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos) throw std::invalid_argument("invalid selector: '" + part + "'");
    const bool negated = equals > 0 && part[equals - 1] == '!';
    const std::string name = part.substr(0, negated ? equals - 1 : equals);
    if (!any_field && name != "metadata.name" && name != "metadata.namespace") {
      throw std::invalid_argument("field label not supported: " + name);
    }
    const std::size_t value = part.find_first_not_of('=', equals);
    selector.fields_.push_back(
        {Json::json_pointer(escape_pointer(name)), !negated, value == std::string::npos ? "" : part.substr(value)});
  }
  return selector;
}

Selector Selector::from_json(const Json& label_selector) {
  Selector selector;
  if (!label_selector.is_object()) return selector;
  const Json& match_labels = part(label_selector, "matchLabels");
  for (const auto& [key, value] : match_labels.items()) {
    selector.requirements_.push_back({key, Operator::kIn, {value.get<std::string>()}});
  }
  for (const Json& expression : part(label_selector, "matchExpressions")) {
    const std::string word = expression.at("operator");
    const Operator op = word == "In"       ? Operator::kIn
                        : word == "NotIn"  ? Operator::kNotIn
                        : word == "Exists" ? Operator::kExists
                                           : Operator::kAbsent;
    selector.requirements_.push_back(
        {expression.at("key"), op, expression.value("values", std::vector<std::string>())});
  }
  return selector;
}

bool Selector::matches(const Json& object) const {
  if (empty()) return true;
  static const Json kNone = Json::object();
  const auto metadata = object.find("metadata");
  const Json& labels = metadata != object.end() && metadata->contains("labels") ? (*metadata)["labels"] : kNone;
  for (const Requirement& requirement : requirements_) {
    const auto label = labels.find(requirement.key);
    const bool present = label != labels.end();
    const bool listed = present && std::any_of(requirement.values.begin(), requirement.values.end(),
                                               [&](const std::string& value) { return *label == value; });
    const bool holds = requirement.op == Operator::kIn       ? listed
                       : requirement.op == Operator::kNotIn  ? !listed
                       : requirement.op == Operator::kExists ? present
                                                             : !present;
    if (!holds) return false;
  }
  return std::all_of(fields_.begin(), fields_.end(), [&](const Field& field) {
    const std::string value =
        object.contains(field.path) && object[field.path].is_string() ? object[field.path].get<std::string>() : "";
    return (value == field.value) == field.equal;
  });
}

}  // namespace cluster
