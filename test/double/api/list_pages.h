// What lists of several pages show. The first page fixes it for those that follow, as etcd's versions do.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "test/double/api/watch_log.h"

namespace cluster {

struct ListPage {
  std::vector<ObjectRef> items;
  std::uint64_t resource_version = 0;
  std::string next;  // the continue token, "" on the last page
  std::size_t remaining = 0;
};

class ListPages {
 public:
  // `limit` 0: all on one page.
  ListPage first(std::vector<ObjectRef> items, std::uint64_t version, std::size_t limit);
  // By the token of an earlier page, which may be used again. nullopt: it is none, or is forgotten.
  [[nodiscard]] std::optional<ListPage> next(const std::string& token, std::size_t limit) const;
  // Forgets all tokens.
  void clear() { lists_.clear(); }

 private:
  static constexpr std::size_t kMaxLists = 64;

  struct List {
    std::vector<ObjectRef> items;
    std::uint64_t version = 0;
  };
  static ListPage page(const List& list, std::uint64_t id, std::size_t offset, std::size_t limit);

  std::map<std::uint64_t, List> lists_;  // newest last
  std::uint64_t last_id_ = 0;
};

}  // namespace cluster
