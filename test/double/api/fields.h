// JSON objects into the double's option structs: each field once, unknown ones refused.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "test/double/api/http.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

// The fields an object may have, each with where it goes.
class Fields {
 public:
  Fields& field(const std::string& name, Millis& into) {
    return add(name, [&into](const Json& value) { into = Millis(value.get<std::int64_t>()); });
  }
  Fields& field(const std::string& name, std::optional<std::int64_t>& into) {
    return add(name, [&into](const Json& value) { into = value.get<std::int64_t>(); });
  }
  template <class T>
  Fields& field(const std::string& name, T& into) {
    return add(name, [&into](const Json& value) { into = value.get<T>(); });
  }
  // Fields of the same object that are read elsewhere.
  Fields& ignore(const std::string& name) {
    return add(name, [](const Json&) {});
  }

  // One of these words.
  template <class T>
  Fields& field(const std::string& name, T& into, std::map<std::string, T> words) {
    return add(name, [&into, words = std::move(words)](const Json& value) {
      const auto word = words.find(value.get<std::string>());
      if (word != words.end()) {
        into = word->second;
        return;
      }
      std::string known;
      for (const auto& [text, meaning] : words) known += " " + text;
      throw std::invalid_argument(value.dump() + " is none of" + known);
    });
  }

  // Throws std::invalid_argument that names the field, as `prefix` + its name.
  void read(const Json& object, const std::string& prefix = "") const {
    for (const auto& [name, value] : object.items()) {
      const auto setter = setters_.find(name);
      if (setter == setters_.end()) {
        throw std::invalid_argument(prefix + name + ": no such field; there are:" + names());
      }
      try {
        setter->second(value);
      } catch (const std::exception& error) {
        throw std::invalid_argument(prefix + name + ": " + error.what());
      }
    }
  }

 private:
  Fields& add(const std::string& name, std::function<void(const Json&)> setter) {
    setters_[name] = std::move(setter);
    return *this;
  }

  [[nodiscard]] std::string names() const {
    std::string all;
    for (const auto& [name, setter] : setters_) all += " " + name;
    return all;
  }

  std::map<std::string, std::function<void(const Json&)>> setters_;
};

}  // namespace cluster
