#include "test/double/faults.h"

#include "test/double/api/fields.h"

namespace cluster {
namespace {

const std::map<std::string, FaultKind>& kinds() {
  static const std::map<std::string, FaultKind> kKinds = {
      {"drop-before", FaultKind::kDropBefore},
      {"drop-after", FaultKind::kDropAfter},
      {"delay-before", FaultKind::kDelayBefore},
      {"delay-after", FaultKind::kDelayAfter},
      {"status", FaultKind::kStatus},
      {"hang", FaultKind::kHang},
      {"cut-watch", FaultKind::kCutWatch},
      {"silent-watch", FaultKind::kSilentWatch},
      {"expire-watch", FaultKind::kExpireWatch},
      {"kill-before", FaultKind::kKillBefore},
      {"kill-after", FaultKind::kKillAfter},
      {"stop-after", FaultKind::kStopAfter},
  };
  return kKinds;
}

bool counts_lines(FaultKind kind) {
  return kind == FaultKind::kCutWatch || kind == FaultKind::kSilentWatch || kind == FaultKind::kExpireWatch;
}

// Freeze and unfreeze are updates too.
bool verb_matches(const std::string& wanted, const std::string& verb) {
  return wanted.empty() || wanted == verb || (wanted == "update" && (verb == "freeze" || verb == "unfreeze"));
}

}  // namespace

Fault fault_from_json(const Json& json) {
  Fault fault;
  int retry_after = 0;
  Fields()
      .field("kind", fault.kind, kinds())
      .field("caller", fault.caller)
      .field("verb", fault.verb)
      .field("path", fault.path)
      .field("nth", fault.nth)
      .field("count", fault.count)
      .field("delay", fault.delay)
      .field("status", fault.status)
      .field("retry_after", retry_after)
      .read(json, "fault.");
  if (retry_after > 0) fault.retry_after = retry_after;
  return fault;
}

std::vector<Fault> Faults::strike(bool lines, const std::string& caller, const std::string& verb,
                                  const std::string& path) {
  std::vector<Fault> hits;
  for (Fault& fault : faults_) {
    if (counts_lines(fault.kind) != lines || !verb_matches(fault.verb, verb)) continue;
    if (!fault.caller.empty() && fault.caller != caller) continue;
    if (path.find(fault.path) == std::string::npos) continue;
    ++fault.seen;
    if (fault.seen >= fault.nth && (fault.count < 0 || fault.seen < fault.nth + fault.count)) hits.push_back(fault);
  }
  return hits;
}

std::vector<Fault> Faults::strike(const std::string& caller, const std::string& verb,
                                  const std::string& path_and_query) {
  ++ledger_[caller][verb];
  return strike(false, caller, verb, path_and_query);
}

std::optional<FaultKind> Faults::strike_line(const std::string& caller, const std::string& path_and_query) {
  const std::vector<Fault> hits = strike(true, caller, "watch", path_and_query);
  return hits.empty() ? std::nullopt : std::optional(hits.front().kind);
}

const Holdback* Faults::holdback(const std::string& caller, const std::string& collection, Mono began, Mono now) const {
  for (const Holdback& each : holdbacks_) {
    const bool concerns = (each.caller.empty() || each.caller == caller) &&
                          (each.path.empty() || each.path == collection) && each.from <= now && now < each.until &&
                          (!each.only_open || began < each.from);
    if (concerns) return &each;
  }
  return nullptr;
}

int Faults::calls(const std::string& caller) const {
  const auto found = ledger_.find(caller);
  if (found == ledger_.end()) return 0;
  int sum = 0;
  for (const auto& [verb, count] : found->second) sum += verb == "watch" ? 0 : count;
  return sum;
}

}  // namespace cluster
