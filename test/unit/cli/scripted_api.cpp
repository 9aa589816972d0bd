#include "test/unit/cli/scripted_api.h"

#include <algorithm>

#include "kube/views.h"
#include "test/unit/cli/texts.h"

namespace test {

using namespace snapfreeze;

namespace {

std::string param(const std::string& query, const std::string& name) {
  const std::size_t at = ("&" + query).find("&" + name + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 1;
  return query.substr(begin, query.find('&', begin) - begin);
}

bool matches(const Json& item, const std::string& selector) {
  if (selector.empty()) return true;
  const std::size_t equals = selector.find("%3D");
  const auto metadata = kube::Metadata::from(item);
  for (const auto& [label, value] : metadata.labels) {
    const std::string key = kube::percent_encode(label);
    if (equals == std::string::npos ? selector.starts_with(key) : selector == key + "%3D" + value) return true;
  }
  return false;
}

kube::Response reply(int status, const std::string& body) {
  kube::Response response;
  response.status = status;
  response.body = body;
  return response;
}

}  // namespace

void ScriptedApi::add(const kube::Resource& resource, const std::string& ns, const std::vector<Json>& items) {
  for (const std::string& path : {kube::collection_path(resource, ns), kube::collection_path(resource)}) {
    auto& list = lists_[path];
    list.insert(list.end(), items.begin(), items.end());
    if (!resource.namespaced || ns.empty()) break;
  }
}

void ScriptedApi::serve(const std::string& group, const std::vector<std::string>& versions, const std::string& plural) {
  Json all = Json::array();
  for (const std::string& version : versions) {
    all.push(Json::object({{"version", version}}));
    put("/apis/" + group + "/" + version, parsed("{'resources': [{'name': '" + plural + "'}]}"));
  }
  put("/apis/" + group, Json::object({{"versions", all}, {"preferredVersion", all.items().front()}}));
}

std::string ScriptedApi::page(const std::vector<Json>& items, const std::string& query) {
  const std::string limit = param(query, "limit");
  const std::string token = param(query, "continue");
  const std::string selector = param(query, "labelSelector");
  std::vector<Json> selected;
  for (const Json& item : items) {
    if (matches(item, selector)) selected.push_back(item);
  }
  const std::size_t first = token.empty() ? 0 : std::stoul(token);
  const std::size_t most = limit.empty() ? selected.size() : std::stoul(limit);
  const std::size_t end = std::min(selected.size(), first + most);
  Json found = Json::array();
  for (std::size_t i = first; i < end; ++i) found.push(selected[i]);
  longest_list = std::max(longest_list, end - first);
  const std::string next = end < selected.size() ? std::to_string(end) : "";
  return Json::object({{"metadata", Json::object({{"continue", next}})}, {"items", found}}).dump();
}

Result<kube::Response> ScriptedApi::call(const kube::Request& request) {
  calls.push_back(request);
  const std::size_t mark = request.target.find('?');
  const std::string path = request.target.substr(0, mark);
  const std::string query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
  for (const auto& [part, status] : refusals_) {
    if (path.find(part) != std::string::npos) {
      return reply(status, R"({"message":"User \"x\" cannot see )" + path + "\"}");
    }
  }
  if (const auto list = lists_.find(path); list != lists_.end()) return reply(200, page(list->second, query));
  if (const auto object = objects_.find(path); object != objects_.end()) return reply(200, object->second.dump());
  return reply(404, R"({"message":"not found"})");
}

Result<void> ScriptedApi::stream(const kube::Request& /*request*/, Millis /*idle*/, const kube::LineSink& /*sink*/) {
  return Error{Code::kMalformed, "no watches here"};
}

int ScriptedApi::calls_of(const std::string& part) const {
  return static_cast<int>(std::count_if(calls.begin(), calls.end(),
                                        [&](const auto& one) { return one.target.find(part) != std::string::npos; }));
}

}  // namespace test
