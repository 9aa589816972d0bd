#include "kube/list.h"

#include <algorithm>
#include <utility>

#include "kube/paths.h"

namespace snapfreeze::kube {
namespace {

// A list that outlives its own tokens this often will never end.
constexpr int kMaxRestarts = 3;
// A server whose list has no end must not hold us for ever.
constexpr int kMaxObjects = 200'000;

}  // namespace

bool ask_for_fewer(const Error& error, int& limit) {
  constexpr int kFewer = 10;
  if (!error.too_large || limit == 1) return false;
  limit = std::max(1, limit / kFewer);
  return true;
}

PagedList::PagedList(std::string collection, std::function<void(const Json&)> item, std::function<void()> restart,
                     std::string as_of)
    : collection_(std::move(collection)),
      item_(std::move(item)),
      restart_(std::move(restart)),
      as_of_(std::move(as_of)) {}

Request PagedList::next(Millis timeout) const {
  const char separator = collection_.find('?') == std::string::npos ? '?' : '&';
  std::string target = collection_ + separator + "limit=" + std::to_string(limit_);
  // A token stands for the moment, too, and a server refuses both.
  if (!continue_.empty()) {
    target += "&continue=" + percent_encode(continue_);
  } else if (!as_of_.empty()) {
    target += "&resourceVersion=" + percent_encode(as_of_) + "&resourceVersionMatch=Exact";
  }
  return get_request(std::move(target), timeout);
}

Result<void> PagedList::take(const Result<Response>& reply) {
  const auto page = object_of(reply);
  if (!page) {
    if (ask_for_fewer(page.error(), limit_)) return {};
    const bool expired = page.error().code == Code::kGone && !continue_.empty();
    if (!expired || ++restarts_ > kMaxRestarts) return page.error();
    continue_.clear();
    limit_ = kListPage;
    restart_();
    return {};
  }
  const Json& items = (*page)["items"];
  // Go writes an empty list as null.
  if (!items.is_array() && !items.is_null()) return Error{Code::kTransient, "the reply is not a list"};
  for (const Json& item : items.items()) item_(item);
  continue_ = (*page)["metadata"]["continue"].string();
  resource_version_ = (*page)["metadata"]["resourceVersion"].string();
  asked_ += limit_;
  if (asked_ > kMaxObjects) return Error{Code::kTransient, "the list has no end"};
  done_ = continue_.empty();
  return {};
}

Result<void> list(KubeApi& api, PagedList& list, Millis timeout) {
  while (!list.done()) {
    if (const auto taken = list.take(api.call(list.next(timeout))); !taken) return taken.error();
  }
  return {};
}

}  // namespace snapfreeze::kube
