#include "freeze/verdict.h"

#include <algorithm>

#include "freeze/names.h"

namespace snapfreeze::freeze {
namespace {

constexpr std::array kConsistencies{Consistency::kFilesystem, Consistency::kOffline, Consistency::kCrash};

// A verdict is a label, too.
constexpr bool is_label_value(std::string_view text) {
  constexpr std::size_t kMost = 63;
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kMost && plain(text.front()) && plain(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return plain(c) || c == '-'; });
}
static_assert(std::all_of(kReasons.begin(), kReasons.end(),
                          [](const ReasonEntry& entry) { return is_label_value(entry.name); }));

}  // namespace

Verdict crash(Reason reason) {
  return {Consistency::kCrash, reason};
}

bool is_crash(const std::optional<Verdict>& verdict) {
  return verdict && verdict->consistency == Consistency::kCrash;
}

std::optional<Verdict> read_verdict(const kube::Metadata& metadata) {
  const std::string& said = metadata.annotation(kConsistency);
  const std::string& of = metadata.annotation(kVerdictOf);
  if (said.empty() || (!of.empty() && of != metadata.uid)) return std::nullopt;
  const auto* const known = std::find_if(kConsistencies.begin(), kConsistencies.end(),
                                         [&](Consistency consistency) { return to_string(consistency) == said; });
  if (known == kConsistencies.end()) return crash(reason::kUnverified);
  return *known == Consistency::kCrash ? crash(Reason::read(metadata.annotation(kReason))) : Verdict{*known};
}

std::array<Note, 2> notes_of(const std::optional<Verdict>& verdict) {
  if (!verdict) return {Note{kConsistency, ""}, Note{kReason, ""}};
  return {Note{kConsistency, std::string(to_string(verdict->consistency))},
          Note{kReason, std::string(verdict->reason.name())}};
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

Verdict judge_snapshot(const Session& session, Millis margin, std::string_view uid) {
  if (!session.doubts.empty()) return crash(session.doubts.front());
  const auto capture = session.captured.find(std::string(uid));
  if (capture == session.captured.end()) return crash(reason::kCutTooLate);
  if (capture->second >= session.timer - margin) return crash(reason::kCutTooLate);
  return {Consistency::kFilesystem};
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
