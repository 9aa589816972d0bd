// JSON objects into the double's option structs: each field once, unknown ones refused.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>

#include "test/cluster/http.h"
#include "test/cluster/runtime.h"

namespace cluster {

// The fields an object may have, each with where it goes.
class Fields {
 public:
  Fields& field(const std::string& name, Millis& into) {
    return add(name, [&into](const Json& value) { into = Millis(value.get<std::int64_t>()); });
  }
  template <class T>
  Fields& field(const std::string& name, T& into) {
    return add(name, [&into](const Json& value) { into = value.get<T>(); });
  }
  // Fields of the same object that are read elsewhere.
  Fields& ignore(const std::string& name) {
    return add(name, [](const Json&) {});
  }

  // Throws std::invalid_argument that names the field.
  void read(const Json& object) const {
    for (const auto& [name, value] : object.items()) {
      const auto setter = setters_.find(name);
      if (setter == setters_.end()) throw std::invalid_argument(name + ": no such field; there are:" + names());
      try {
        setter->second(value);
      } catch (const Json::exception& error) {
        throw std::invalid_argument(name + ": " + error.what());
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
