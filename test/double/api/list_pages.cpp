#include "test/double/api/list_pages.h"

#include <algorithm>
#include <cstdlib>

namespace cluster {

ListPage ListPages::first(std::vector<ObjectRef> items, std::uint64_t version, std::size_t limit) {
  List list{std::move(items), version};
  ListPage first = page(list, last_id_ + 1, 0, limit);
  if (first.remaining == 0) return first;
  if (lists_.size() >= kMaxLists) lists_.erase(lists_.begin());
  lists_.emplace(++last_id_, std::move(list));
  return first;
}

// Tokens are "<list>.<offset>".
std::optional<ListPage> ListPages::next(const std::string& token, std::size_t limit) const {
  const std::size_t dot = token.find('.');
  if (dot == std::string::npos || token.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
  const std::uint64_t id = std::strtoull(token.c_str(), nullptr, 10);
  const std::size_t offset = std::strtoull(token.c_str() + dot + 1, nullptr, 10);
  const auto found = lists_.find(id);
  if (found == lists_.end() || offset > found->second.items.size()) return std::nullopt;
  return page(found->second, id, offset, limit);
}

ListPage ListPages::page(const List& list, std::uint64_t id, std::size_t offset, std::size_t limit) {
  const std::size_t left = list.items.size() - offset;
  const std::size_t size = limit == 0 ? left : std::min(limit, left);
  const auto first = list.items.begin() + static_cast<std::ptrdiff_t>(offset);
  ListPage page{{first, first + static_cast<std::ptrdiff_t>(size)}, list.version, "", left - size};
  if (page.remaining != 0) page.next = std::to_string(id) + "." + std::to_string(offset + size);
  return page;
}

}  // namespace cluster
