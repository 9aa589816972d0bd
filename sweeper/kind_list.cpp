#include "sweeper/kind_list.h"

#include <utility>

#include "base/log.h"
#include "kube/discovery.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::sweeper {

KindList::KindList(const Seams& seams, const kube::Resource& resource, const std::string& ns,
                   std::function<void(const Json&)> item, std::function<void()> restart, std::string as_of)
    : seams_(seams),
      resource_(resource),
      namespace_(ns),
      item_(std::move(item)),
      restart_(std::move(restart)),
      as_of_(std::move(as_of)) {
  if (const auto version = seams_.versions->of(resource)) begin(*version);
}

std::string KindList::name() const {
  return std::string(resource_.plural) + "." + std::string(resource_.group);
}

kube::Replay KindList::since(const std::string& version) const {
  return {path_, version, pages_ ? pages_->resource_version() : "", newest_ever_};
}

// For a kind that was not served, its group is asked, which costs no more than an empty list.
kube::Request KindList::next() const {
  if (pages_) return pages_->next(kube::kCallTimeout);
  return kube::get_request("/apis/" + kube::percent_encode(resource_.group));
}

Result<void> KindList::take(const Result<kube::Response>& reply) {
  if (!pages_) return take_group(reply);
  const auto taken = pages_->take(reply);
  if (taken) {
    newest_ever_ = seams_.newest_listed->note(path_, newest_);
    done_ = pages_->done();
    return {};
  }
  if (taken.error().code == Code::kGone && !as_of_.empty()) {
    restart();
    done_ = true;
    return {};
  }
  const bool gone = taken.error().code == Code::kNotFound && !resource_.group.empty() && !discovered_;
  return gone ? discover() : taken;
}

void KindList::begin(const std::string& version) {
  version_ = version;
  kube::Resource served = resource_;
  served.version = version_;
  path_ = kube::collection_path(served, namespace_);
  restart();
  pages_.emplace(
      path_, [this](const Json& item) { take_item(item); }, [this] { restart(); }, as_of_);
}

void KindList::restart() {
  newest_.clear();
  restart_();
}

void KindList::take_item(const Json& item) {
  const std::string& version = item["metadata"]["resourceVersion"].string();
  if (newest_.empty() || kube::is_not_after(newest_, version)) newest_ = version;
  item_(item);
}

Result<void> KindList::take_group(const Result<kube::Response>& reply) {
  const auto group = kube::object_of(reply);
  if (group) return discover();
  if (group.error().code != Code::kNotFound) return group.error();
  done_ = true;
  return {};
}

Result<void> KindList::discover() {
  discovered_ = true;
  auto version = kube::served_version(seams_.api, resource_);
  if (!version) return version.error();
  log::info(*version ? "kind served in another version" : "kind not served",
            {{"resource", name()}, {"version", version->value_or("")}});
  done_ = !version->has_value();
  if (*version) begin(**version);
  if (done_) restart();
  seams_.versions->learn(resource_, std::move(*version));
  return {};
}

}  // namespace snapfreeze::sweeper
