#include "test/unit/webhook/fake_api.h"

#include <algorithm>
#include <sstream>

#include "base/time.h"
#include "freeze/session.h"
#include "kube/paths.h"

namespace snapfreeze::test {
namespace {

constexpr char kPhase[] = "snapfreeze.harvesterhci.io/phase";

Json merged(const Json& target, const Json& changes) {
  if (!changes.is_object()) return changes;
  Json result = Json::object();
  for (const auto& [key, value] : target.members()) {
    const auto& patched = changes.members();
    const auto found = std::ranges::find(patched, key, &Json::Member::first);
    if (found == patched.end()) {
      result.set(key, value);
    } else if (!found->second.is_null()) {
      result.set(key, merged(value, found->second));
    }
  }
  for (const auto& [key, value] : changes.members()) {
    if (target[key].is_null() && !value.is_null()) result.set(key, merged(Json(), value));
  }
  return result;
}

std::string percent_decode(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return decoded;
}

const char* verb(kube::Method method) {
  switch (method) {
    case kube::Method::kGet:
      return "GET ";
    case kube::Method::kPost:
      return "POST ";
    case kube::Method::kPut:
      return "PUT ";
    case kube::Method::kPatch:
      return "PATCH ";
    case kube::Method::kDelete:
      return "DELETE ";
  }
  return "";
}

kube::Response status(int code, const std::string& message) {
  return {code, Json::object({{"kind", "Status"}, {"message", message}}).dump(), {}, {}};
}

Json parsed(const std::string& text) {
  auto json = Json::parse(text);
  return json ? *json : Json();
}

}  // namespace

Result<kube::Response> FakeApi::call(const kube::Request& request) {
  Millis took{0};
  auto reply = answer(request, took);
  clock_.wait(took);
  stop(stopped_after, request.target);
  return reply;
}

void FakeApi::stop(const std::map<std::string, Millis>& stops, const std::string& target) {
  for (const auto& [end, length] : stops) {
    if (target.ends_with(end)) clock_.wait(length);
  }
}

std::vector<Result<kube::Response>> FakeApi::call_all(std::span<const kube::Request> requests) {
  std::vector<Result<kube::Response>> replies;
  Millis longest{0};
  for (const kube::Request& request : requests) {
    Millis took{0};
    replies.push_back(answer(request, took));
    longest = std::max(longest, took);
  }
  clock_.wait(longest);
  for (const kube::Request& request : requests) stop(stopped_after, request.target);
  return replies;
}

Result<kube::Response> FakeApi::answer(const kube::Request& request, Millis& took) {
  using Kind = FakeFault::Kind;
  stop(stopped_before, request.target);
  if (clock_.monotonic() > request.send_by) return Error{Code::kTransient, "not sent: its time was over", 0, true};
  ++calls_;
  const auto found = faults.find(calls_);
  const FakeFault* fault = found == faults.end() ? nullptr : &found->second;
  const auto slow = latency.find(request.target.substr(request.target.rfind('/') + 1));
  took = slow == latency.end() ? every_call : slow->second;
  const bool in_time = took <= request.timeout && !(fault != nullptr && fault->kind == Kind::kHang);
  took = in_time ? took : request.timeout;
  if (on_call) on_call(request);
  ledger.push_back(verb(request.method) + request.target);
  if (fault != nullptr && (fault->kind == Kind::kHang || fault->kind == Kind::kDropBefore)) {
    return Error{Code::kTransient, "not carried out, no reply"};
  }
  kube::Response response =
      fault != nullptr && fault->kind == Kind::kStatus ? status(fault->status, "made to fail") : carry_out(request);
  response.sent = clock_.monotonic();
  response.date = std::chrono::floor<std::chrono::seconds>(clock_.wall());
  if (!in_time || (fault != nullptr && fault->kind == Kind::kDropAfter)) return Error{Code::kTransient, "no reply"};
  return response;
}

int FakeApi::count(const std::string& part) const {
  return static_cast<int>(
      std::ranges::count_if(ledger, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

const Json& FakeApi::lease() const {
  static const Json kNone;
  for (const auto& [path, object] : objects) {
    if (path.find("/leases/") != std::string::npos) return object;
  }
  return kNone;
}

void FakeApi::change_lease(const std::string& annotation, const std::string& value) {
  for (auto& [path, object] : objects) {
    if (path.find("/leases/") == std::string::npos) continue;
    object =
        merged(object, Json::object({{"metadata", Json::object({{"annotations", Json::object({{annotation, value}})},
                                                                {"resourceVersion", std::to_string(++version_)}})}}));
  }
}

kube::Response FakeApi::carry_out(const kube::Request& request) {
  const std::size_t question = request.target.find('?');
  const std::string path = request.target.substr(0, question);
  if (const auto found = statuses.find(path); found != statuses.end()) return status(found->second, "made to fail");
  if (path.ends_with("/freeze") || path.ends_with("/unfreeze")) return call_guest(request);
  if (request.method == kube::Method::kPost && path.ends_with("/leases")) return create_lease(parsed(request.body));
  if (request.method == kube::Method::kPost) {
    access_review = parsed(request.body);
    const std::string& vm = access_review["spec"]["resourceAttributes"]["name"].string();
    const bool allowed = may_freeze && (may_freeze_only.empty() || vm == may_freeze_only);
    return {201, Json::object({{"status", Json::object({{"allowed", allowed}})}}).dump(), {}, {}};
  }
  if (request.method == kube::Method::kPatch) return patch(path, parsed(request.body));
  if (question != std::string::npos || path.ends_with("/virtualmachineinstances")) {
    return list(path, question == std::string::npos ? "" : percent_decode(request.target.substr(question + 1)));
  }
  const auto found = objects.find(path);
  return found == objects.end() ? status(404, "not found") : kube::Response{200, found->second.dump(), {}, {}};
}

// All of a collection, or those with the label of "labelSelector=<key>=<value>", in pages of "limit=<count>".
kube::Response FakeApi::list(const std::string& collection, const std::string& query) const {
  std::string selector;
  std::size_t limit = objects.size();
  std::size_t from = 0;
  std::stringstream parameters(query);
  for (std::string parameter; std::getline(parameters, parameter, '&');) {
    if (parameter.starts_with("labelSelector=")) selector = parameter.substr(14);
    if (parameter.starts_with("limit=")) limit = std::stoul(parameter.substr(6));
    if (parameter.starts_with("continue=")) from = std::stoul(parameter.substr(9));
  }
  std::vector<Json> items;
  for (const auto& [path, object] : objects) {
    if (!path.starts_with(collection + "/")) continue;
    bool selected = selector.empty();
    for (const auto& [key, value] : object["metadata"]["labels"].members()) {
      selected = selected || selector == key + "=" + value.string();
    }
    if (selected) items.push_back(object);
  }
  Json page = Json::array();
  for (std::size_t i = from; i < std::min(items.size(), from + limit); ++i) page.push(items[i]);
  Json metadata = Json::object();
  if (items.size() > from + limit) metadata.set("continue", std::to_string(from + limit));
  return {200, Json::object({{"metadata", metadata}, {"items", page}}).dump(), {}, {}};
}

kube::Response FakeApi::create_lease(const Json& object) {
  const Json& metadata = object["metadata"];
  const std::string path = kube::object_path(kube::kLeases, metadata["namespace"].string(), metadata["name"].string());
  if (objects.contains(path)) return status(409, "exists");
  const Json added = Json::object({{"uid", "epoch-" + std::to_string(++created_)},
                                   {"resourceVersion", std::to_string(++version_)},
                                   {"creationTimestamp", format_time(clock_.wall())}});
  // Null annotations are left out, as an API server does.
  objects[path] = merged(merged(Json(), object), Json::object({{"metadata", added}}));
  return {201, objects[path].dump(), {}, {}};
}

kube::Response FakeApi::patch(const std::string& path, const Json& changes) {
  const auto found = objects.find(path);
  if (found == objects.end()) return status(404, "not found");
  const Json& there = found->second["metadata"];
  for (const char* field : {"uid", "resourceVersion"}) {
    const std::string& wanted = changes["metadata"][field].string();
    if (!wanted.empty() && wanted != there[field].string()) return status(409, "changed meanwhile");
  }
  Json version = Json::object({{"metadata", Json::object({{"resourceVersion", std::to_string(++version_)}})}});
  found->second = merged(merged(found->second, changes), version);
  return {200, found->second.dump(), {}, {}};
}

kube::Response FakeApi::call_guest(const kube::Request& request) {
  const Json& annotations = lease()["metadata"]["annotations"];
  ledger.back() += " " + request.body + "[" + annotations[kPhase].string() + "]";
  frozen = request.target.ends_with("/freeze");
  if (!frozen && !guest_error.empty()) return status(500, guest_error);
  return {202, "", {}, {}};
}

}  // namespace snapfreeze::test
