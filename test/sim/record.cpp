#include "test/sim/record.h"

#include <algorithm>
#include <cstdio>
#include <functional>

#include "freeze/lease.h"
#include "freeze/names.h"
#include "kube/observing_api.h"
#include "test/double/api/part.h"
#include "test/sim/process.h"

namespace sim {

namespace kube = snapfreeze::kube;
using snapfreeze::Result;

namespace {

constexpr char kLeases[] = "leases";
// A call leaves at once after its intent was written, or not at all; an admission takes 15 s, and so does leadership.
constexpr auto kAnnouncedFor = std::chrono::seconds(20);

}  // namespace

Record::Record(cluster::Cluster& cluster) : cluster_(cluster), leases_(std::make_shared<std::vector<LeaseSpan>>()) {
  cluster_.locked([&] {
    cluster_.store().observe("coordination.k8s.io", kLeases,
                             [&runtime = cluster_.runtime(), all = leases_](const cluster::WatchEvent& event) {
                               const std::string name = event.object->json["metadata"]["name"];
                               if (event.type == cluster::EventType::kAdded) all->push_back({name, runtime.now()});
                               if (event.type != cluster::EventType::kDeleted) return;
                               const auto last = std::find_if(all->rbegin(), all->rend(),
                                                              [&](const LeaseSpan& one) { return one.lease == name; });
                               if (last != all->rend()) last->until = runtime.now();
                             });
  });
}

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
    // Twice a second, and nobody wants to read it.
    if (line.text.ends_with(snapfreeze::freeze::kLeaderLease)) continue;
    std::snprintf(time, sizeof time, "%12.3f  ", cluster_.truth().since_start(line.at) / 1000);
    text += time + line.who + "  " + line.text + "\n";
  }
  return text + "digest " + std::to_string(digest_) + "\n";
}

RecordingApi::Sent RecordingApi::leaves(const kube::Request& request) {
  if (cluster_.runtime().now() > request.send_by) return std::nullopt;
  witness(request);
  const Sent sent = claim_of(request);
  const cluster::Lock lock = cluster_.runtime().lock();
  record_.called(caller_, std::string(kube::verb_of(request.method)) + " " + request.target);
  record_.pass(request.body);
  return sent;
}

RecordingApi::Sent RecordingApi::claim_of(const kube::Request& request) {
  if (request.method != kube::Method::kPatch) return std::nullopt;
  for (const auto& [resource, group_resource] :
       {std::pair("volumesnapshots", "snapshot.storage.k8s.io/volumesnapshots"),
        std::pair("virtualmachinebackups", "harvesterhci.io/virtualmachinebackups")}) {
    const std::string part = std::string("/") + resource + "/";
    const auto found = request.target.find(part);
    if (found == std::string::npos) continue;
    const auto annotations =
        cluster::Json::parse(request.body)["metadata"].value("annotations", cluster::Json::object());
    const auto said = annotations.find(snapfreeze::freeze::kConsistency);
    if (said == annotations.end() || !said->is_string()) return std::nullopt;
    Claim claim;
    claim.at = cluster_.runtime().now();
    claim.of = resource;
    claim.name = request.target.substr(found + part.size());
    const auto ns_begin = request.target.find("/namespaces/") + 12;
    claim.ns = request.target.substr(ns_begin, found - ns_begin);
    claim.consistency = *said;
    const auto object = cluster_.get(group_resource, claim.ns, claim.name);
    if (object.is_null()) return std::nullopt;
    claim.uid = object["metadata"]["uid"];
    claim.before = cluster::part(object["metadata"], "annotations").value(snapfreeze::freeze::kConsistency, "");
    const bool unled = another_leads();
    const auto& status = cluster::part(object, "status");
    for (const auto& volume : cluster::part(status, "volumeBackups")) {
      claim.members.push_back(volume.value("name", ""));
    }
    const cluster::Lock lock = cluster_.runtime().lock();
    if (unled) record_.unled(caller_ + " verdict " + claim.ns + "/" + claim.name);
    return record_.claim(std::move(claim));
  }
  return std::nullopt;
}

void RecordingApi::answered(const kube::Request& request, Sent sent, const Reply& reply) {
  const cluster::Lock lock = cluster_.runtime().lock();
  const std::string said = reply.ok() ? std::to_string(reply->status) : reply.error().message;
  record_.note(caller_, "    -> " + said + " to " + std::string(kube::verb_of(request.method)) + " " + request.target);
  if (reply.ok()) record_.pass(reply->body);
  if (sent && reply.ok() && reply->status >= 300) record_.refused(*sent);
  remember_intent(request, reply);
}

void RecordingApi::remember_intent(const kube::Request& request, const Reply& reply) {
  const bool write = request.method == kube::Method::kPost || request.method == kube::Method::kPatch;
  if (!write || !reply.ok() || reply->status >= 300 || request.target.find("/leases") == std::string::npos ||
      request.target.ends_with(snapfreeze::freeze::kLeaderLease)) {
    return;
  }
  const auto lease = cluster::Json::parse(reply->body, nullptr, false);
  if (!lease.is_object() || !lease.contains("metadata")) return;
  const auto& annotations = cluster::part(lease["metadata"], "annotations");
  const auto intent =
      cluster::Json::parse(annotations.value("snapfreeze.harvesterhci.io/intent", "{}"), nullptr, false);
  const bool ours = intent.is_object() && intent.value("by", "").starts_with(caller_);
  const std::string name = lease["metadata"].value("name", "");
  announced_[name] = {ours ? intent.value("call", "none") : "none", cluster_.runtime().now()};
  const bool rescue = annotations.value("snapfreeze.harvesterhci.io/doubts", "").starts_with("[\"rescued\"");
  if (rescue && request.method == kube::Method::kPost) record_.rescued({name, cluster_.runtime().now()});
}

// Each announcement is good for one call; a freeze may begin with an unfreeze.
bool RecordingApi::take_written(const std::string& lease_name, const std::string& operation) {
  const auto found = announced_.find(lease_name);
  if (found == announced_.end() || cluster_.runtime().now() > found->second.at + kAnnouncedFor) return false;
  const std::string call = found->second.call;
  if (call == operation) announced_.erase(found);
  return call == operation || call == "freeze";
}

void RecordingApi::witness(const kube::Request& request) {
  for (const std::string operation : {"freeze", "unfreeze"}) {
    const std::string suffix = "/" + operation;
    if (!request.target.ends_with(suffix)) continue;
    const auto path = request.target.substr(0, request.target.size() - suffix.size());
    const auto vm = path.substr(path.rfind('/') + 1);
    const auto ns_begin = path.find("/namespaces/") + 12;
    const auto ns = path.substr(ns_begin, path.find('/', ns_begin) - ns_begin);
    const std::string lease = snapfreeze::freeze::lease_name(ns, vm);
    if (another_leads()) {
      const cluster::Lock lock = cluster_.runtime().lock();
      record_.unled(caller_ + " " + operation + " " + ns + "/" + vm);
    }
    const bool announced = take_written(lease, operation);
    if (announced || on_record(lease, operation)) continue;
    const cluster::Lock lock = cluster_.runtime().lock();
    record_.unrecorded(caller_ + " " + operation + " " + ns + "/" + vm);
  }
}

bool RecordingApi::another_leads() const {
  if (!caller_.starts_with("sweeper-")) return false;
  const auto lease = cluster_.get("coordination.k8s.io/leases", kOwnNamespace, snapfreeze::freeze::kLeaderLease);
  const std::string leader =
      lease.is_object() ? lease.value("spec", cluster::Json::object()).value("holderIdentity", "") : "";
  return !leader.empty() && !leader.starts_with(caller_);
}

// The webhook also unfreezes, as the first half of its freeze.
bool RecordingApi::on_record(const std::string& lease_name, const std::string& operation) {
  const auto lease = cluster_.get("coordination.k8s.io/leases", kOwnNamespace, lease_name);
  if (!lease.is_object()) return false;
  const auto& annotations = cluster::part(lease["metadata"], "annotations");
  const auto intent =
      cluster::Json::parse(annotations.value("snapfreeze.harvesterhci.io/intent", "{}"), nullptr, false);
  if (!intent.is_object()) return false;
  const std::string call = intent.value("call", "none");
  return intent.value("by", "").starts_with(caller_) && (call == operation || call == "freeze");
}

Result<kube::Response> RecordingApi::call(const kube::Request& request) {
  const Sent sent = leaves(request);
  auto reply = api_.call(request);
  answered(request, sent, reply);
  return reply;
}

std::vector<Result<kube::Response>> RecordingApi::call_all(std::span<const kube::Request> requests) {
  std::vector<Sent> sent;
  for (const kube::Request& request : requests) sent.push_back(leaves(request));
  auto replies = api_.call_all(requests);
  for (std::size_t i = 0; i < requests.size(); ++i) answered(requests[i], sent[i], replies[i]);
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
