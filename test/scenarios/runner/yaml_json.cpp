#include "test/scenarios/runner/yaml_json.h"

#include <string>

namespace runner {
namespace {

nlohmann::json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  const bool quoted = node.Tag() == "!";
  if (quoted) return text;
  if (text == "true" || text == "false") return text == "true";
  if (text == "null" || text == "~") return nullptr;
  const bool number = !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
  if (number) return std::stoi(text);
  return text;
}

}  // namespace

nlohmann::json json_of(const YAML::Node& node) {
  if (node.IsScalar()) return scalar(node);
  if (node.IsSequence()) {
    nlohmann::json list = nlohmann::json::array();
    for (const YAML::Node& item : node) list.push_back(json_of(item));
    return list;
  }
  if (!node.IsMap()) return nullptr;
  nlohmann::json object = nlohmann::json::object();
  for (const auto& member : node) object[member.first.Scalar()] = json_of(member.second);
  return object;
}

}  // namespace runner
