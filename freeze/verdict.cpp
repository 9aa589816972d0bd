#include "freeze/verdict.h"

#include "freeze/names.h"

namespace snapfreeze::freeze {
Verdict crash(std::string_view reason) {
  return {Consistency::kCrash, std::string(reason)};
}

std::string_view to_string(Consistency consistency) {
  switch (consistency) {
    case Consistency::kFilesystem:
      return "filesystem";
    case Consistency::kOffline:
      return "offline";
    case Consistency::kCrash:
      break;
  }
  return "crash";
}

Verdict judge_snapshot(const Session& session, const Proof& proof, std::string_view uid) {
  if (!session.doubts.empty()) return crash(session.doubts.front());
  const auto capture = session.captured.find(std::string(uid));
  if (capture == session.captured.end()) return crash(reason::kCutTooLate);
  if (capture->second >= proof.window) return crash(proof.reason);
  return {Consistency::kFilesystem, ""};
}

Verdict judge_backup(std::span<const std::string> members, const std::map<std::string, Verdict>& snapshots) {
  if (members.empty()) return crash(reason::kMissing);
  Verdict common{};
  bool first = true;
  for (const std::string& member : members) {
    const auto found = snapshots.find(member);
    if (found == snapshots.end()) return crash(reason::kMissing);
    if (found->second.consistency == Consistency::kCrash) return found->second;
    // Disks at rest and disks of a frozen guest are from different moments.
    if (!first && found->second != common) return crash(reason::kStarted);
    common = found->second;
    first = false;
  }
  return common;
}

}  // namespace snapfreeze::freeze
