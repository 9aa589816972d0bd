// A mapping of a scenario file, read key by key. A key that was never asked for is an error that names the nearest
// known one.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"

namespace runner {

// "file:line: what is wrong and what would be right".
struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "file:line"; only the file if the node is not in it.
[[nodiscard]] std::string place(const std::string& file, const YAML::Node& node);

// The known word that is nearest to `word` by edit distance.
[[nodiscard]] std::string nearest(const std::string& word, const std::vector<std::string>& known);

class Fields {
 public:
  // An absent node is an empty mapping.
  Fields(std::string file, const YAML::Node& node, std::string what);

  // Each returns `otherwise` if the key is absent, and throws FileError if its value has another form.
  std::string text(const std::string& key, const std::string& otherwise = "");
  std::string word(const std::string& key, const std::vector<std::string>& words, const std::string& otherwise);
  int count(const std::string& key, int otherwise);
  bool yes(const std::string& key, bool otherwise);
  snapfreeze::Millis duration(const std::string& key, snapfreeze::Millis otherwise);
  // "never" is nullopt.
  std::optional<snapfreeze::Millis> bound(const std::string& key, std::optional<snapfreeze::Millis> otherwise);
  std::vector<std::string> texts(const std::string& key);  // one or a list

  [[nodiscard]] bool has(const std::string& key);
  YAML::Node node(const std::string& key);  // undefined when absent
  Fields fields(const std::string& key);
  // Calls `each` with every name and its mapping, in the file's order.
  void named(const std::string& key, const std::function<void(const std::string&, Fields)>& each);
  void listed(const std::string& key, const std::function<void(Fields)>& each);

  [[noreturn]] void fail(const std::string& key, const std::string& message);
  [[nodiscard]] std::string place_of(const std::string& key);
  [[nodiscard]] std::vector<std::string> keys() const;  // as the file has them

  // Throws FileError for the first key that nobody asked for.
  void finish() const;

 private:
  std::string file_;
  YAML::Node node_;
  std::string what_;
  std::vector<std::string> known_;
};

}  // namespace runner
