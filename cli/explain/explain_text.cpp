#include "base/time.h"
#include "cli/explain/explain.h"
#include "cli/shared/table.h"

namespace snapfreeze::cli {
namespace {

constexpr std::size_t kMillisEnd = 23;  // "2026-11-24T12:00:00.123"

// Whole seconds stay whole: more digits would claim a precision that the object does not have.
std::string time_text(const std::optional<Wall>& at) {
  if (!at) return "at an unknown time      ";
  const bool whole = std::chrono::floor<std::chrono::seconds>(*at) == *at;
  std::string text = whole ? format_time(*at) : format_micro_time(*at).substr(0, kMillisEnd) + "Z";
  text.resize(kMillisEnd + 1, ' ');
  return text;
}

}  // namespace

std::string to_text(const Explanation& explanation, bool colours) {
  const bool said = !explanation.consistency.empty();
  const Colour colour = explanation.consistent() ? Colour::kGood : said ? Colour::kWarning : Colour::kDim;
  std::string text = printable(explanation.title) + ": " +
                     coloured(said ? printable(explanation.consistency) : "no verdict", colour, colours) + "\n";
  text += "Why: " + printable(explanation.why) + "\n";
  for (const std::string& spoiler : explanation.spoilers) text += "  " + printable(spoiler) + "\n";
  if (!explanation.harvester_error.empty()) {
    text += "Harvester's own error: " + printable(explanation.harvester_error) + "\n";
  }
  if (!explanation.frozen_for.empty()) {
    text += "The guest was frozen for at most " + printable(explanation.frozen_for) + ".\n";
  }
  text += "\n";
  for (const TimelineLine& line : explanation.timeline) {
    text += time_text(line.at) + "  " + printable(line.says) + "\n";
  }
  if (!explanation.disks.empty()) text += "\n";
  for (const std::string& disk : explanation.disks) text += printable(disk) + "\n";
  if (!explanation.notes.empty()) text += "\n";
  for (const std::string& note : explanation.notes) text += printable(note) + "\n";
  return text;
}

}  // namespace snapfreeze::cli
