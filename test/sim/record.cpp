#include "test/sim/record.h"

#include <algorithm>
#include <cstdio>
#include <functional>

#include "kube/observing_api.h"
#include "test/sim/process.h"

namespace sim {

namespace kube = snapfreeze::kube;
using snapfreeze::Result;

void Record::note(const std::string& who, std::string what) {
  pass(what);
  lines_.push_back({cluster_.runtime().now(), who, std::move(what)});
}

void Record::called(const std::string& who, std::string request) {
  note(who, std::move(request));
  lines_.back().what = Line::What::kCall;
}

int Record::calls(const std::string& who, const std::string& part, const std::string& aside) const {
  return static_cast<int>(std::count_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.what == Line::What::kCall && line.who == who && line.text.find(part) != std::string::npos &&
           line.text.find(aside) == std::string::npos;
  }));
}

void Record::pass(std::string_view bytes) {
  digest_ = (digest_ * 1099511628211U) ^ std::hash<std::string_view>()(bytes);
}

std::string Record::timeline() const {
  std::vector<Line> all = lines_;
  for (const cluster::TimelineEntry& entry : cluster_.truth().timeline()) {
    all.push_back({entry.at, "**", entry.kind + "  " + entry.object + "  " + entry.detail});
  }
  std::stable_sort(all.begin(), all.end(), [](const Line& a, const Line& b) { return a.at < b.at; });
  std::string text;
  char time[32];
  for (const Line& line : all) {
    std::snprintf(time, sizeof time, "%12.3f  ", cluster_.truth().since_start(line.at) / 1000);
    text += time + line.who + "  " + line.text + "\n";
  }
  return text + "digest " + std::to_string(digest_) + "\n";
}

void RecordingApi::leaves(const kube::Request& request) {
  if (cluster_.runtime().now() > request.send_by) return;
  witness(request);
  const cluster::Lock lock = cluster_.runtime().lock();
  record_.called(caller_, std::string(kube::verb_of(request.method)) + " " + request.target);
  record_.pass(request.body);
}

void RecordingApi::answered(const kube::Request& request, const Reply& reply) {
  const cluster::Lock lock = cluster_.runtime().lock();
  const std::string said = reply.ok() ? std::to_string(reply->status) : reply.error().message;
  record_.note(caller_, "    -> " + said + " to " + std::string(kube::verb_of(request.method)) + " " + request.target);
  if (reply.ok()) record_.pass(reply->body);
}

void RecordingApi::witness(const kube::Request& request) {
  for (const std::string operation : {"freeze", "unfreeze"}) {
    const std::string suffix = "/" + operation;
    if (!request.target.ends_with(suffix)) continue;
    const auto path = request.target.substr(0, request.target.size() - suffix.size());
    const auto vm = path.substr(path.rfind('/') + 1);
    const auto ns_begin = path.find("/namespaces/") + 12;
    const auto ns = path.substr(ns_begin, path.find('/', ns_begin) - ns_begin);
    if (on_record(ns + "." + vm, operation)) continue;
    const cluster::Lock lock = cluster_.runtime().lock();
    record_.unrecorded(caller_ + " " + operation + " " + ns + "/" + vm);
  }
}

// The webhook also unfreezes, as the first half of its freeze.
bool RecordingApi::on_record(const std::string& guest, const std::string& operation) {
  const auto lease = cluster_.get("coordination.k8s.io/leases", kOwnNamespace, guest);
  if (!lease.is_object()) return false;
  const auto annotations = lease["metadata"].value("annotations", cluster::Json::object());
  const auto intent = cluster::Json::parse(annotations.value("snapfreeze.harvesterhci.io/intent", "{}"));
  const std::string call = intent.value("call", "none");
  return intent.value("by", "").starts_with(caller_) && (call == operation || call == "freeze");
}

Result<kube::Response> RecordingApi::call(const kube::Request& request) {
  leaves(request);
  auto reply = api_.call(request);
  answered(request, reply);
  return reply;
}

std::vector<Result<kube::Response>> RecordingApi::call_all(std::span<const kube::Request> requests) {
  for (const kube::Request& request : requests) leaves(request);
  auto replies = api_.call_all(requests);
  for (std::size_t i = 0; i < requests.size(); ++i) answered(requests[i], replies[i]);
  return replies;
}

Result<void> RecordingApi::stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) {
  {
    const cluster::Lock lock = cluster_.runtime().lock();
    record_.note(caller_, "WATCH " + request.target);
  }
  auto end = api_.stream(request, idle, [&](std::string_view line) {
    {
      const cluster::Lock lock = cluster_.runtime().lock();
      record_.pass(line);
    }
    return sink(line);
  });
  const cluster::Lock lock = cluster_.runtime().lock();
  record_.note(caller_, "    -> " + (end.ok() ? std::string("end") : end.error().message) + " of " + request.target);
  return end;
}

}  // namespace sim
