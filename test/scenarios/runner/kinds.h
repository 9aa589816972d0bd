// The kinds of objects that a scenario can name, by a short name or by their plural.
#pragma once

#include <string>
#include <vector>

namespace runner {

struct KindWord {
  const char* word;
  const char* plural;
  const char* collection;  // "group/version/plural", without group in the core
  const char* kind;
  bool namespaced = true;
};

[[nodiscard]] const std::vector<KindWord>& kind_words();
// nullptr if there is no such kind. "snapshot" is as good as "snapshots".
[[nodiscard]] const KindWord* find_kind(const std::string& word);

// "snapshots/vms/name", or "contents/name" of a kind without namespaces.
struct ObjectName {
  const KindWord* kind = nullptr;
  std::string ns;
  std::string name;
};
// The kind is nullptr if the text names none.
[[nodiscard]] ObjectName parse_object_name(const std::string& text);

}  // namespace runner
