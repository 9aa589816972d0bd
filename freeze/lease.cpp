#include "freeze/lease.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/number.h"
#include "base/time.h"
#include "freeze/names.h"

namespace snapfreeze::freeze {
namespace {

constexpr std::size_t kNameLimit = 253;

// Annotations of the Lease. The prefix is that of the public names; admins may read them, only snapfreeze writes them.
constexpr char kPhase[] = "snapfreeze.harvesterhci.io/phase";
constexpr char kNamespace[] = "snapfreeze.harvesterhci.io/namespace";
constexpr char kVm[] = "snapfreeze.harvesterhci.io/vm";
constexpr char kVmiUid[] = "snapfreeze.harvesterhci.io/vmi-uid";
constexpr char kClaims[] = "snapfreeze.harvesterhci.io/claims";
constexpr char kWindows[] = "snapfreeze.harvesterhci.io/windows";
constexpr char kHolds[] = "snapfreeze.harvesterhci.io/holds";
constexpr char kIntent[] = "snapfreeze.harvesterhci.io/intent";
constexpr char kUnsettled[] = "snapfreeze.harvesterhci.io/unsettled";
constexpr char kVersionBefore[] = "snapfreeze.harvesterhci.io/version-before";
constexpr char kFrozenBy[] = "snapfreeze.harvesterhci.io/frozen-by";
constexpr char kDoubts[] = "snapfreeze.harvesterhci.io/doubts";
constexpr char kCaptured[] = "snapfreeze.harvesterhci.io/captured";

// Those that stand in a Lease.
constexpr std::array kPhases{Phase::kFreezing, Phase::kFrozen, Phase::kArmed, Phase::kThawing, Phase::kResting};
constexpr std::array<std::pair<Intent::Call, std::string_view>, 3> kCalls{
    {{Intent::Call::kNone, "none"}, {Intent::Call::kFreeze, "freeze"}, {Intent::Call::kUnfreeze, "unfreeze"}}};
constexpr std::array<std::pair<Hold::Kind, std::string_view>, 2> kHoldKinds{
    {{Hold::Kind::kHarvester, "VirtualMachineBackup"}, {Hold::Kind::kLabel, "Label"}}};

template <class Table, class Value>
std::string_view name_of(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return "";
}

template <class Value, std::size_t N>
std::optional<Value> value_of(const std::array<std::pair<Value, std::string_view>, N>& table, std::string_view name) {
  for (const auto& [value, known] : table) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::optional<Phase> phase_of(std::string_view name) {
  for (const Phase phase : kPhases) {
    if (to_string(phase) == name) return phase;
  }
  return std::nullopt;
}

Json holds_to_json(const std::vector<Hold>& holds) {
  Json list = Json::array();
  for (const Hold& hold : holds) {
    Json item = Json::object({{"kind", name_of(kHoldKinds, hold.kind)}, {"name", hold.name}});
    if (!hold.uid.empty()) item.set("uid", hold.uid);
    if (hold.members > 0) item.set("members", hold.members);
    list.push(std::move(item));
  }
  return list;
}

Json strings_to_json(const std::vector<std::string>& strings) {
  Json list = Json::array();
  for (const std::string& text : strings) list.push(text);
  return list;
}

std::vector<std::string> names_of(const std::vector<Reason>& reasons) {
  std::vector<std::string> names;
  names.reserve(reasons.size());
  for (const Reason reason : reasons) names.emplace_back(reason.name());
  return names;
}

// What changes after the creation; null removes an annotation.
Json annotations(const Session& session) {
  Json captured = Json::object();
  for (const auto& [uid, after] : session.captured) captured.set(uid, std::int64_t{after.count()});
  Json intent = Json::object({{"call", name_of(kCalls, session.intent.call)}, {"by", session.intent.by}});
  if (!session.intent.after.empty()) intent.set("after", strings_to_json(session.intent.after));
  return Json::object({
      {kPhase, to_string(session.phase)},
      {kVmiUid, session.vmi_uid},
      {kHolds, holds_to_json(session.holds).dump()},
      {kIntent, intent.dump()},
      {kUnsettled, session.unsettled ? Json("true") : Json()},
      {kVersionBefore, session.version_before.empty() ? Json() : Json(session.version_before)},
      {kFrozenBy, session.frozen_by ? Json(format_micro_time(*session.frozen_by)) : Json()},
      {kDoubts, session.doubts.empty() ? Json() : Json(strings_to_json(names_of(session.doubts)).dump())},
      {kCaptured, session.captured.empty() ? Json() : Json(captured.dump())},
  });
}

// Each reader below returns false when the annotation was damaged.
bool read_holds(const std::string& text, std::vector<Hold>& holds) {
  const auto list = Json::parse(text);
  if (!list || !list->is_array()) return false;
  for (const Json& item : list->items()) {
    const auto kind = value_of(kHoldKinds, item["kind"].string());
    const auto members = item["members"].is_null() ? 0 : item["members"].integer();
    if (!kind || item["name"].string().empty() || !members || *members < 0 || *members > kMaxMembers) return false;
    if (kind == Hold::Kind::kHarvester && item["uid"].string().empty()) return false;
    holds.push_back({*kind, item["name"].string(), item["uid"].string(), static_cast<int>(*members)});
  }
  return !holds.empty();
}

bool read_list(const Json& list, std::vector<std::string>& strings) {
  if (!list.is_array()) return false;
  for (const Json& item : list.items()) {
    if (item.string().empty()) return false;
    strings.push_back(item.string());
  }
  return true;
}

bool read_intent(const std::string& text, Intent& intent) {
  const auto json = Json::parse(text);
  if (!json) return false;
  const auto call = value_of(kCalls, (*json)["call"].string());
  if (!call) return false;
  intent = {*call, (*json)["by"].string()};
  const Json& after = (*json)["after"];
  return after.is_null() || read_list(after, intent.after);
}

// Whoever takes it over must know whose call it may be, and after what it came.
bool sound_arms(Phase phase, const Intent& intent) {
  const bool armed = intent.call == Intent::Call::kUnfreeze && !intent.by.empty() && !intent.after.empty();
  return phase != Phase::kArmed || armed;
}

bool read_strings(const std::string& text, std::vector<std::string>& strings) {
  if (text.empty()) return true;
  const auto list = Json::parse(text);
  return list && read_list(*list, strings);
}

// A newer version may know more of them; what this one does not know is a doubt all the same.
bool read_doubts(const std::string& text, Session& session) {
  std::vector<std::string> names;
  const bool sound = read_strings(text, names);
  for (const std::string& name : names) session.doubt(Reason::read(name));
  return sound;
}

bool read_captured(const std::string& text, std::map<std::string, Millis>& captured) {
  if (text.empty()) return true;
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return false;
  for (const auto& [uid, after] : json->members()) {
    if (!after.integer()) return false;
    captured[uid] = Millis(*after.integer());
  }
  return true;
}

bool read_flag(const std::string& text, bool& flag) {
  flag = text == "true";
  return flag || text.empty();
}

enum class Format { kOurs, kNewer, kDamaged };

// A number that does not even fit is newer, too.
Format format_of(const std::string& text) {
  if (text.empty()) return Format::kOurs;
  const bool is_number = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || text.front() == '0') return Format::kDamaged;
  const auto number = whole_number<int>(text);
  return !number || *number > kLeaseFormat ? Format::kNewer : Format::kOurs;
}

bool read_frozen_by(const std::string& text, std::optional<Wall>& frozen_by) {
  if (text.empty()) return true;
  const auto time = parse_time(text);
  if (!time) return false;
  frozen_by = *time;
  return true;
}

}  // namespace

std::string lease_name(std::string_view ns, std::string_view vm) {
  std::string name = std::string(ns) + "." + std::string(vm);
  if (name.size() <= kNameLimit) return name;
  constexpr std::size_t kHashDigits = 16;
  constexpr char kDigits[] = "0123456789abcdef";
  // Only distinguishes names of one namespace: anyone who chose a collision could only harm a VM of their own.
  const std::uint64_t state = fnv1a(name);
  name.resize(kNameLimit - kHashDigits - 1);
  name += 'x';  // not a '-' or '.', which must not stand beside a '.'
  for (int shift = 60; shift >= 0; shift -= 4) name += kDigits[(state >> shift) & 0xF];
  return name;
}

Json to_lease(const Session& session, std::string_view own_namespace) {
  Json notes =
      Json::object({{kFormat, std::to_string(kLeaseFormat)}, {kNamespace, session.namespace_}, {kVm, session.vm}});
  const Json changing = annotations(session);
  for (const auto& [key, value] : changing.members()) {
    if (!value.is_null()) notes.set(key, value);
  }
  if (!session.claims.empty()) notes.set(kClaims, strings_to_json(session.claims).dump());
  if (session.windows) notes.set(kWindows, "true");
  return Json::object({
      {"apiVersion", "coordination.k8s.io/v1"},
      {"kind", "Lease"},
      {"metadata", Json::object({{"name", lease_name(session.namespace_, session.vm)},
                                 {"namespace", own_namespace},
                                 {"labels", Json::object({{kSessionLabel, "true"}})},
                                 {"annotations", notes}})},
      {"spec", Json::object({{"holderIdentity", session.holder},
                             {"leaseDurationSeconds", std::int64_t{session.timer.count()}}})},
  });
}

Json to_patch(const Session& session) {
  Json metadata = Json::object(
      {{"uid", session.uid}, {"resourceVersion", session.resource_version}, {"annotations", annotations(session)}});
  if (!session.listed) metadata.set("labels", Json::object({{kSessionLabel, "true"}}));
  return Json::object({{"metadata", std::move(metadata)}});
}

Result<Session> from_lease(const Json& lease) {
  const Json& meta = lease["metadata"];
  const Json& notes = meta["annotations"];
  Session session;
  session.lease = meta["name"].string();
  session.uid = meta["uid"].string();
  session.resource_version = meta["resourceVersion"].string();
  session.listed = !meta["labels"][kSessionLabel].is_null();
  if (const auto created = parse_time(meta["creationTimestamp"].string())) session.created = *created;
  session.namespace_ = notes[kNamespace].string();
  session.vm = notes[kVm].string();
  const bool names_guest = lease_name(session.namespace_, session.vm) == session.lease;
  if (!names_guest && session.lease.size() < kNameLimit) {
    const auto dot = std::min(session.lease.find('.'), session.lease.size());
    session.namespace_ = session.lease.substr(0, dot);
    session.vm = session.lease.substr(std::min(dot + 1, session.lease.size()));
  } else if (!names_guest) {
    session.vm.clear();
  }
  session.timer = std::chrono::seconds(lease["spec"]["leaseDurationSeconds"].integer().value_or(0));
  session.holder = lease["spec"]["holderIdentity"].string();
  const Format format = format_of(notes[kFormat].string());
  if (format == Format::kNewer && !session.lease.empty()) {
    // Nothing is called by these names, so they may be wrong.
    if (session.vm.empty()) session.vm = session.lease;
    session.phase = Phase::kNewer;
    return session;
  }
  if (session.namespace_.empty() || session.vm.empty()) {
    return Error{Code::kMalformed, "Lease " + session.lease + ": annotations " + kNamespace + " and " + kVm +
                                       " do not name the guest it holds"};
  }
  session.vmi_uid = notes[kVmiUid].string();
  session.version_before = notes[kVersionBefore].string();

  const auto phase = phase_of(notes[kPhase].string());
  bool sound = format == Format::kOurs && names_guest && phase.has_value() && session.created &&
               session.timer.count() >= 1 && !session.vmi_uid.empty();
  sound = read_holds(notes[kHolds].string(), session.holds) && sound;
  sound = read_strings(notes[kClaims].string(), session.claims) && sound;
  sound = read_flag(notes[kWindows].string(), session.windows) && sound;
  sound = read_flag(notes[kUnsettled].string(), session.unsettled) && sound;
  sound = read_intent(notes[kIntent].string(), session.intent) && sound;
  sound = sound && sound_arms(*phase, session.intent);
  sound = read_doubts(notes[kDoubts].string(), session) && sound;
  sound = read_captured(notes[kCaptured].string(), session.captured) && sound;
  sound = read_frozen_by(notes[kFrozenBy].string(), session.frozen_by) && sound;
  if (sound) {
    session.phase = *phase;
  } else {
    session.phase = phase == Phase::kResting ? Phase::kResting : Phase::kThawing;
    session.unsettled = true;
    session.doubt(reason::kRecordDamaged);
  }
  return session;
}

}  // namespace snapfreeze::freeze
