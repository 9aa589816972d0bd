#include "cli/shared/look.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "kube/discovery.h"
#include "kube/paths.h"

namespace snapfreeze::cli {
namespace {

constexpr std::size_t kBatch = 64;
constexpr int kNoSuchObject = 404;
constexpr std::string_view kApis = "/apis/";
constexpr std::string_view kNamespaces = "namespaces/";

// The parts of a path below /apis; all are empty for any other path.
struct KindPath {
  std::string group;
  std::string version;
  std::string plural;
};

std::string_view take_part(std::string_view& rest) {
  const std::size_t end = rest.find('/');
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

KindPath kind_path_of(std::string_view target) {
  std::string_view rest = target.substr(0, target.find('?'));
  if (!rest.starts_with(kApis)) return {};
  rest.remove_prefix(kApis.size());
  KindPath path;
  path.group = take_part(rest);
  path.version = take_part(rest);
  if (rest.starts_with(kNamespaces)) {
    rest.remove_prefix(kNamespaces.size());
    take_part(rest);
  }
  path.plural = take_part(rest);
  return path;
}

bool is_missing(const Result<kube::Response>& reply) {
  return reply && reply->status == kNoSuchObject;
}

}  // namespace

// Rounded up, because a fraction of a millisecond would otherwise be no time at all.
Millis Look::time_left() const {
  return std::chrono::ceil<Millis>(end_ - clock_.monotonic());
}

void Look::bound(kube::Request& request, Millis left) const {
  request.timeout = std::min(request.timeout, left);
  request.send_by = std::min(request.send_by, end_);
}

Error Look::too_late() const {
  return {Code::kTransient, "could not read everything within " + format_duration(patience_) +
                                ": the API server is too slow, or there are too many objects"};
}

const Look::Version& Look::version_of(const std::string& group, const std::string& plural) {
  const auto key = std::make_pair(group, plural);
  const auto known = versions_.find(key);
  if (known != versions_.end()) return known->second;
  const Millis left = time_left();
  Version found = too_late();
  if (left.count() > 0) {
    found = kube::served_version(api_, {group, "", plural, ""}, std::min(left, kube::kCallTimeout));
  }
  return versions_.emplace(key, std::move(found)).first->second;
}

Result<std::optional<kube::Request>> Look::elsewhere(const kube::Request& request) {
  const KindPath path = kind_path_of(request.target);
  if (request.method != kube::Method::kGet || path.plural.empty()) return std::optional<kube::Request>();
  const Version& version = version_of(path.group, path.plural);
  if (!version) {
    Error error = version.error();
    error.message =
        "cannot find out which version of " + path.plural + "." + path.group + " is served: " + error.message;
    if (error.code == Code::kNotFound) error.code = Code::kTransient;
    return error;
  }
  if (!*version || **version == path.version) return std::optional<kube::Request>();
  kube::Request there = request;
  there.target.replace(kApis.size() + path.group.size() + 1, path.version.size(), **version);
  return std::optional<kube::Request>(std::move(there));
}

Result<kube::Response> Look::call(const kube::Request& request) {
  return std::move(call_all({&request, 1}).front());
}

std::vector<Result<kube::Response>> Look::send(std::span<const kube::Request> requests) {
  std::vector<Result<kube::Response>> replies;
  replies.reserve(requests.size());
  while (replies.size() < requests.size()) {
    const auto part = requests.subspan(replies.size(), std::min(kBatch, requests.size() - replies.size()));
    const Millis left = time_left();
    if (left.count() <= 0) {
      replies.resize(requests.size(), too_late());
      break;
    }
    std::vector<kube::Request> batch(part.begin(), part.end());
    for (kube::Request& request : batch) bound(request, left);
    for (auto& reply : api_.call_all(batch)) replies.push_back(std::move(reply));
  }
  return replies;
}

std::vector<Result<kube::Response>> Look::call_all(std::span<const kube::Request> requests) {
  auto replies = send(requests);
  std::vector<std::size_t> moved;
  std::vector<kube::Request> again;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!is_missing(replies[i])) continue;
    auto there = elsewhere(requests[i]);
    if (!there) replies[i] = there.error();
    if (!there || !*there) continue;
    moved.push_back(i);
    again.push_back(std::move(**there));
  }
  auto second = send(again);
  for (std::size_t i = 0; i < moved.size(); ++i) replies[moved[i]] = std::move(second[i]);
  return replies;
}

Result<void> Look::stream(const kube::Request& /*request*/, Millis /*idle*/, const kube::LineSink& /*sink*/) {
  return Error{Code::kMalformed, "a look cannot include a watch, which never ends"};
}

}  // namespace snapfreeze::cli
