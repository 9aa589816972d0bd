#include "freeze/wording.h"

#include "base/time.h"

namespace snapfreeze::freeze {

Words words_of(const Verdict& verdict, std::optional<Millis> frozen_for, const std::string& culprit) {
  Words words;
  words.warning = verdict.consistency == Consistency::kCrash;
  switch (verdict.consistency) {
    case Consistency::kFilesystem:
      words.reason = "FilesystemConsistent";
      words.note = "all disks were captured while frozen";
      break;
    case Consistency::kOffline:
      words.reason = "OfflineConsistent";
      words.note = "the VM was not running while its disks were captured";
      break;
    case Consistency::kCrash:
      words.reason = "CrashConsistent";
      words.note = "crash-consistent only: " + std::string(verdict.reason.name());
      if (!culprit.empty()) words.note += " (" + culprit + ")";
      break;
  }
  if (frozen_for) words.note += "; the guest was frozen for at most " + format_duration(*frozen_for);
  return words;
}

Words words_for_owner(const std::string& backup, const Verdict& verdict, const std::string& culprit) {
  Words words = words_of(verdict, std::nullopt);
  words.note = "backup " + backup + ": ";
  if (verdict.consistency == Consistency::kCrash) words.note += "crash-consistent only: ";
  words.note += explain(verdict, verdict.reason.name());
  if (!culprit.empty()) words.note += "; because of " + culprit;
  return words;
}

Words words_of_rescue(const std::string& vm) {
  return {true, "GuestRescued", "the filesystems of VM " + vm + " had been left frozen, and were thawed"};
}

Words words_of_unsettled_thaw() {
  return {true, "ThawUnsettled",
          "no thaw of this guest was confirmed within an hour: look whether its filesystems are frozen"};
}

std::string admission_warning(Reason reason) {
  return "snapfreeze: the guest is not frozen for this snapshot: " + std::string(reason.name());
}

std::string explain(const Verdict& verdict, std::string_view reason) {
  switch (verdict.consistency) {
    case Consistency::kFilesystem:
      return "every disk was captured during one freeze of the guest's filesystems";
    case Consistency::kOffline:
      return "no guest ran from the first admission until the last capture: disks at rest";
    case Consistency::kCrash:
      break;
  }
  return explain_reason(reason);
}

std::string explain_reason(std::string_view name) {
  const Reason reason = Reason::named(name);
  if (!reason) return std::string(name);
  std::string words = std::string(name) + ": " + std::string(reason.meaning());
  if (!reason.remedy().empty()) words += " (" + std::string(reason.remedy()) + ")";
  return words;
}

}  // namespace snapfreeze::freeze
