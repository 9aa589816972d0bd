#include "test/double/api/match_conditions.h"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace cluster {
namespace {

using Variables = std::map<std::string, const Json*>;

bool identifier_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// A recursive descent that evaluates as it goes. Both sides of || and && are always read; an error in the side that
// would not count is swallowed, as CEL does.
class Evaluator {
 public:
  Evaluator(const std::string& text, Variables variables) : text_(text), variables_(std::move(variables)) {}

  bool all() {
    const bool value = either();
    skip();
    if (at_ != text_.size()) fail();
    return value;
  }

 private:
  bool either() {
    bool value = both();
    while (take("||")) value = both() || value;
    return value;
  }

  bool both() {
    bool value = unary();
    while (take("&&")) value = unary() && value;
    return value;
  }

  bool unary() {
    if (take("!")) return !unary();
    if (take("(")) {
      const bool value = either();
      expect(")");
      return value;
    }
    if (take("has(")) {
      const bool found = path() != nullptr;
      expect(")");
      return found;
    }
    skip();
    if (at_ < text_.size() && text_[at_] == '\'') {
      const std::string key = quoted();
      expect("in");
      const Json* map = path();
      return map != nullptr && map->contains(key);
    }
    return term();
  }

  bool term() {
    const Json* value = path();
    if (method_ == "startsWith") {
      const std::string prefix = quoted();
      expect(")");
      return value != nullptr && value->is_string() && value->get<std::string>().rfind(prefix, 0) == 0;
    }
    if (method_ == "exists") return exists(value);
    if (take("==")) {
      if (take("true")) return value != nullptr && *value == true;
      const std::string text = quoted();
      return value != nullptr && *value == text;
    }
    return value != nullptr && value->is_boolean() && value->get<bool>();
  }

  bool exists(const Json* list) {
    const std::string variable = word();
    expect(",");
    const std::size_t body = at_;
    static const Json kEmpty = Json::object();
    bool found = false;
    const Json& items = list == nullptr ? kEmpty : *list;
    // Read once with nothing, to get past it; then once an item.
    for (std::size_t i = 0; i <= items.size(); ++i) {
      at_ = body;
      variables_[variable] = i == 0 ? &kEmpty : &items[i - 1];
      const bool holds = either();
      found = (i > 0 && holds) || found;
    }
    expect(")");
    return found;
  }

  // name.name.name, or name.name.method( ; nullptr when it leads nowhere.
  const Json* path() {
    method_.clear();
    const std::string root = word();
    const auto variable = variables_.find(root);
    if (variable == variables_.end()) fail();
    const Json* value = variable->second;
    while (take(".")) {
      const std::string name = word();
      if (take("(")) {
        method_ = name;
        return value;
      }
      value = value != nullptr && value->is_object() && value->contains(name) ? &(*value)[name] : nullptr;
    }
    return value;
  }

  std::string word() {
    skip();
    const std::size_t begin = at_;
    while (at_ < text_.size() && identifier_char(text_[at_])) ++at_;
    if (begin == at_) fail();
    return text_.substr(begin, at_ - begin);
  }

  std::string quoted() {
    expect("'");
    const std::size_t end = text_.find('\'', at_);
    if (end == std::string::npos) fail();
    const std::string text = text_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }

  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  bool take(const std::string& token) {
    skip();
    if (text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }

  void expect(const std::string& token) {
    if (!take(token)) fail();
  }

  [[noreturn]] void fail() const {
    throw std::invalid_argument("the double cannot read this match condition at character " + std::to_string(at_) +
                                ": " + text_);
  }

  const std::string& text_;
  Variables variables_;
  std::string method_;
  std::size_t at_ = 0;
};

}  // namespace

bool match_condition(const std::string& expression, const Json& object) {
  return Evaluator(expression, {{"object", &object}}).all();
}

}  // namespace cluster
