// Status as text for people and as JSON for scripts.
#include <algorithm>

#include "base/time.h"
#include "cli/shared/table.h"
#include "cli/status/status.h"
#include "freeze/verdict.h"

namespace snapfreeze::cli {
namespace {

using freeze::Phase;

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ",") + word;
  return all;
}

std::string seconds(Wall::duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + "s";
}

// Ages as kubectl shows them: the largest unit, and the next one while the first is small.
std::string age(const std::optional<Wall>& since, Wall now) {
  if (!since) return "";
  const auto total = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(now - *since).count(), 0);
  constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400;
  if (total < 2 * kMinute) return std::to_string(total) + "s";
  if (total < 2 * kHour) return std::to_string(total / kMinute) + "m";
  if (total < 2 * kDay) return std::to_string(total / kHour) + "h";
  return std::to_string(total / kDay) + "d";
}

std::string phase_of(const FrozenGuest& guest) {
  if (!guest.held) return "NO SESSION";
  return guest.overdue ? "OVERDUE" : std::string(to_string(guest.phase));
}

std::string until(const FrozenGuest& guest, Wall now) {
  if (!guest.until || guest.phase == Phase::kResting) return "";
  if (*guest.until >= now) return "in " + seconds(*guest.until - now);
  return seconds(now - *guest.until) + " ago";
}

std::string disks(const FrozenGuest& guest) {
  if (!guest.held) return "";
  return std::to_string(guest.captured) + "/" + (guest.disks > 0 ? std::to_string(guest.disks) : "?");
}

Colour colour_of(const FrozenGuest& guest) {
  if (guest.overdue || !guest.expected) return Colour::kBad;
  return guest.phase == Phase::kResting ? Colour::kDim : Colour::kNone;
}

Colour colour_of(const BackupLine& backup) {
  if (backup.consistency.empty()) return Colour::kDim;
  return backup.consistency == to_string(freeze::Consistency::kCrash) ? Colour::kWarning : Colour::kGood;
}

// An unfinished backup will get its verdict. A finished one without a verdict was made without us.
std::string verdict_of(const BackupLine& backup) {
  if (!backup.consistency.empty()) return backup.consistency;
  if (!backup.error.empty()) return "in error";
  return backup.ready ? "" : "pending";
}

std::string reason_of(const BackupLine& backup) {
  std::string text = backup.reason;
  for (std::size_t i = 0; i < backup.spoilers.size(); ++i) text += (i == 0 ? ": " : "; ") + backup.spoilers[i];
  return text;
}

std::string frozen_text(const Status& status, bool colours) {
  if (!status.trouble.empty()) return "Guests frozen now: not known. " + printable(status.trouble) + "\n";
  if (!status.installed) {
    return coloured("Not installed", Colour::kBad, colours) + ": namespace " + status.system_namespace +
           " holds no session, and no sweeper has ever led there. If it is elsewhere, use --system-namespace.\n";
  }
  if (status.frozen.empty()) return status.guests_seen ? "No guest is frozen.\n" : "No guest is held.\n";
  std::vector<Row> rows;
  for (const FrozenGuest& guest : status.frozen) {
    rows.push_back({{guest.namespace_},
                    {guest.vm},
                    {phase_of(guest), colour_of(guest)},
                    {guest.since ? age(guest.since, status.now) + " ago" : ""},
                    {until(guest, status.now), colour_of(guest)},
                    {disks(guest)},
                    {joined(guest.backups)}});
  }
  std::string text = to_table({"NAMESPACE", "VM", "PHASE", "SINCE", "UNTIL", "DISKS", "BACKUPS"}, rows, colours);
  if (std::any_of(status.frozen.begin(), status.frozen.end(), [](const auto& guest) { return !guest.expected; })) {
    text +=
        "NO SESSION: the guest reports that it is frozen, and snapfreeze does not hold it. `snapfreeze thaw` thaws "
        "it.\n";
  }
  return text;
}

std::string backups_text(const Status& status, const StatusStyle& style) {
  if (status.backups.empty()) return "No backups.\n";
  std::vector<std::string> header{"NAMESPACE", "BACKUP", "VM", "AGE", "VERDICT", "REASON"};
  if (style.wide) header.insert(header.end(), {"FROZEN FOR", "DISKS", "KIND", "READY"});
  std::vector<Row> rows;
  for (const BackupLine& backup : status.backups) {
    Row row{{backup.namespace_},
            {backup.name},
            {backup.vm},
            {age(backup.created, status.now)},
            {verdict_of(backup), colour_of(backup)},
            {reason_of(backup)}};
    if (style.wide) {
      row.insert(
          row.end(),
          {{backup.frozen_for}, {std::to_string(backup.disks)}, {backup.kind}, {backup.ready ? "true" : "false"}});
    }
    rows.push_back(std::move(row));
  }
  return to_table(header, rows, style.colours);
}

// Harvester's own errors of its backups.
std::string errors_text(const Status& status, bool colours) {
  std::vector<Row> rows;
  for (const BackupLine& backup : status.backups) {
    if (backup.error.empty()) continue;
    rows.push_back({{backup.namespace_},
                    {backup.name},
                    {backup.error_time ? age(backup.error_time, status.now) + " ago" : ""},
                    {backup.error, Colour::kWarning}});
  }
  if (rows.empty()) return "";
  return "\n" + to_table({"NAMESPACE", "BACKUP", "FAILED", "HARVESTER'S ERROR"}, rows, colours);
}

std::string unseen_text(const Status& status) {
  std::string text = status.unseen.empty() ? "" : "\n";
  for (const std::string& unseen : status.unseen) text += "Not seen: " + printable(unseen) + "\n";
  return text;
}

Json texts(const std::vector<std::string>& all) {
  Json list = Json::array();
  for (const std::string& one : all) list.push(one);
  return list;
}

Json time_or_null(const std::optional<Wall>& time) {
  return time ? Json(format_time(*time)) : Json();
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json to_json(const FrozenGuest& guest) {
  return Json::object({{"namespace", guest.namespace_},
                       {"vm", guest.vm},
                       {"phase", guest.held ? to_string(guest.phase) : "NoSession"},
                       {"since", time_or_null(guest.since)},
                       {"until", time_or_null(guest.until)},
                       {"overdue", guest.overdue},
                       {"captured", guest.captured},
                       {"disks", guest.disks > 0 ? Json(guest.disks) : Json()},
                       {"backups", texts(guest.backups)}});
}

Json to_json(const BackupLine& backup) {
  return Json::object({{"namespace", backup.namespace_},
                       {"name", backup.name},
                       {"kind", backup.kind},
                       {"vm", backup.vm},
                       {"created", time_or_null(backup.created)},
                       {"ready", backup.ready},
                       {"disks", backup.disks},
                       {"consistency", text_or_null(backup.consistency)},
                       {"reason", text_or_null(backup.reason)},
                       {"frozenFor", text_or_null(backup.frozen_for)},
                       {"spoiledBy", texts(backup.spoilers)},
                       {"error", text_or_null(backup.error)},
                       {"errorTime", time_or_null(backup.error_time)}});
}

}  // namespace

std::string to_text(const Status& status, const StatusStyle& style) {
  return frozen_text(status, style.colours) + "\n" + backups_text(status, style) + errors_text(status, style.colours) +
         unseen_text(status);
}

Json to_json(const Status& status) {
  Json frozen = Json::array();
  for (const FrozenGuest& guest : status.frozen) frozen.push(to_json(guest));
  Json backups = Json::array();
  for (const BackupLine& backup : status.backups) backups.push(to_json(backup));
  return Json::object({{"now", format_time(status.now)},
                       {"systemNamespace", status.system_namespace},
                       {"installed", status.installed},
                       {"trouble", text_or_null(status.trouble)},
                       {"frozen", status.trouble.empty() ? frozen : Json()},
                       {"backups", backups},
                       {"unseen", texts(status.unseen)}});
}

}  // namespace snapfreeze::cli
