// Label and field selectors.
#pragma once

#include <string>
#include <vector>

#include "test/double/api/http.h"

namespace cluster {

class Selector {
 public:
  // Throws std::invalid_argument with the API server's kind of message. Fields: metadata.name and metadata.namespace;
  // `any_field` (events) allows others too.
  static Selector parse(const std::string& labels, const std::string& fields, bool any_field = false);
  // A LabelSelector object (matchLabels, matchExpressions).
  static Selector from_json(const Json& label_selector);

  [[nodiscard]] bool matches(const Json& object) const;
  [[nodiscard]] bool empty() const { return requirements_.empty() && fields_.empty(); }

 private:
  enum class Operator { kIn, kNotIn, kExists, kAbsent };
  struct Requirement {
    std::string key;
    Operator op;
    std::vector<std::string> values;
  };
  struct Field {
    Json::json_pointer path;
    bool equal;
    std::string value;
  };
  std::vector<Requirement> requirements_;
  std::vector<Field> fields_;
};

}  // namespace cluster
