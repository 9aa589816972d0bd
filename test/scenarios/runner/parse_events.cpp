#include "test/scenarios/runner/parse_events.h"

#include <algorithm>
#include <cctype>

#include "test/scenarios/runner/placeholders.h"
#include "test/scenarios/runner/yaml_json.h"

namespace runner {
namespace {

enum class Names { kWords, kVm, kBackup, kDisk, kProcess, kObject, kDuration };

// What each action's own key may say, and which keys may stand beside it.
struct Form {
  const char* key;
  Action action;
  Names names;
  std::vector<std::string> words;
  std::vector<std::string> beside;
};

const std::vector<Form>& forms() {
  static const std::vector<std::string> kGuestFault = {"vm", "by", "times", "first", "late-by"};
  static const std::vector<std::string> kVerbs = {"get", "list", "create", "patch", "delete", "freeze", "unfreeze"};
  static const std::vector<Form> kForms = {
      {"freeze", Action::kFreeze, Names::kWords, {"fails", "fails-half-way", "late"}, kGuestFault},
      {"thaw", Action::kThaw, Names::kWords, {"fails", "late"}, kGuestFault},
      {"api-server", Action::kApiServer, Names::kWords, {"gone", "slow", "errors"}, {"for", "by", "times", "first"}},
      {"watches",
       Action::kWatches,
       Names::kWords,
       {"cut", "silent", "expired", "lag"},
       {"times", "of", "by", "for", "late-by"}},
      {"lose-reply", Action::kLoseReply, Names::kWords, kVerbs, {"by", "times", "first"}},
      {"stop", Action::kStop, Names::kVm, {}, {}},
      {"start", Action::kStart, Names::kVm, {}, {}},
      {"restart", Action::kRestart, Names::kVm, {}, {}},
      {"pause", Action::kPause, Names::kVm, {}, {}},
      {"resume", Action::kResume, Names::kVm, {}, {}},
      {"power-off", Action::kPowerOff, Names::kVm, {}, {}},
      {"crash", Action::kCrash, Names::kVm, {}, {}},
      {"recreate", Action::kRecreate, Names::kVm, {}, {}},
      {"migrate", Action::kMigrate, Names::kVm, {}, {"takes"}},
      {"vm-snapshot", Action::kVmSnapshot, Names::kVm, {}, {"takes"}},
      {"kubevirt-backup", Action::kKubevirtBackup, Names::kVm, {}, {"takes", "tracker", "fails"}},
      {"freeze-by-hand", Action::kFreezeByHand, Names::kVm, {}, {"for"}},
      {"thaw-by-hand", Action::kThawByHand, Names::kVm, {}, {}},
      {"delete-backup", Action::kDeleteBackup, Names::kBackup, {}, {}},
      {"retry-backup", Action::kRetryBackup, Names::kBackup, {}, {"times", "every"}},
      {"delete-snapshot", Action::kDeleteSnapshot, Names::kDisk, {}, {"of"}},
      {"reject-snapshot", Action::kRejectSnapshot, Names::kDisk, {}, {"of", "times"}},
      {"harvester", Action::kHarvester, Names::kWords, {"restarts"}, {}},
      {"longhorn",
       Action::kLonghorn,
       Names::kWords,
       {"answers", "gone", "hangs", "dribbles", "refuses", "errors", "garbage", "huge", "cut-short"},
       {"for"}},
      {"patch", Action::kPatch, Names::kObject, {}, {"by", "with"}},
      {"create", Action::kCreate, Names::kObject, {}, {"by", "with"}},
      {"delete", Action::kDelete, Names::kObject, {}, {"by"}},
      {"step-clock", Action::kStepClock, Names::kDuration, {}, {}},
      {"restore-etcd", Action::kRestoreEtcd, Names::kDuration, {}, {}},
      {"kill", Action::kKill, Names::kProcess, {}, {"after-call", "back-after"}},
      {"hang", Action::kHang, Names::kProcess, {}, {"for", "after-call", "before-call"}},
  };
  return kForms;
}

const Form& form_of(Fields& fields) {
  std::vector<std::string> known;
  for (const Form& form : forms()) {
    if (fields.has(form.key)) return form;
    known.emplace_back(form.key);
  }
  const auto keys = fields.keys();
  const std::string first = keys.empty() ? "" : keys.front() == "at" && keys.size() > 1 ? keys[1] : keys.front();
  throw FileError(fields.place_of(first) + ": an event needs a key that says what happens; '" + first +
                  "' is none, the nearest is '" + nearest(first, known) + "'");
}

bool is_process(const std::string& name) {
  for (const std::string kind : {"webhook", "sweeper"}) {
    const bool one = name.size() == kind.size() + 2 && name.rfind(kind + "-", 0) == 0 && std::isdigit(name.back()) != 0;
    if (one || name == kind + "s") return true;
  }
  return false;
}

void check_object(Fields& fields, const Form& form, const std::string& target) {
  if (parse_object_name(target).kind == nullptr) {
    fields.fail(form.key, "is '" + target + "', must name an object as snapshots/vms/name or contents/name does");
  }
  const std::string problem = placeholder_problem(target);
  if (!problem.empty()) fields.fail(form.key, problem);
}

bool is_user(const std::string& name) {
  const std::string kOfOne = "tenant-of-";
  return name == "admin" || name == "tenant" || name == "harvester" ||
         (name.rfind(kOfOne, 0) == 0 && name.size() > kOfOne.size());
}

// Whose calls, or who acts.
std::string read_by(Fields& fields, const Form& form) {
  if (form.names == Names::kObject) {
    const std::string user = fields.text("by", "tenant");
    if (!is_user(user))
      fields.fail("by", "is '" + user + "', must be admin, tenant, tenant-of-<namespace> or harvester");
    return user;
  }
  if (form.action == Action::kWatches && is_process(fields.text("by"))) return fields.text("by");
  return fields.word("by", {"", "snapfreeze", "harvester", "webhooks", "sweepers"}, "");
}

// The words of a watch event that say for how long go together, and those that say how often.
void check_watches(Fields& fields, Event& event) {
  const bool lasting = event.target == "lag" || (event.target == "silent" && !fields.has("times"));
  if (!lasting && fields.has("for")) fields.fail("for", "is of watches that are silent, without 'times', or lag");
  if (lasting && fields.has("times")) fields.fail("times", "is not of watches that lag");
  if (lasting) event.times = 0;
  if (event.target == "lag" && event.late_by == Millis(0)) fields.fail("late-by", "is missing: how late?");
  if (event.target != "lag" && fields.has("late-by")) fields.fail("late-by", "is of watches that lag");
  if (event.target == "expired" && (fields.has("of") || fields.has("by"))) {
    fields.fail("of", "and 'by' are not of watches that expire: history is the same to all");
  }
}

void check_target(Fields& fields, const Form& form, const std::string& target, const Scenario& scenario) {
  switch (form.names) {
    case Names::kWords:
      fields.word(form.key, form.words, "");
      return;
    case Names::kVm:
      if (scenario.find_vm(target) == nullptr) fields.fail(form.key, "names no VM of this file");
      return;
    case Names::kBackup:
      if (scenario.find_backup(target) == nullptr) fields.fail(form.key, "names no backup of this file");
      return;
    case Names::kDisk:
    case Names::kDuration:
      return;
    case Names::kObject:
      return check_object(fields, form, target);
    case Names::kProcess:
      if (!is_process(target)) fields.fail(form.key, "must be webhooks, webhook-0, sweepers, sweeper-0 and so on");
      return;
  }
}

// A clock is set back too.
Millis read_signed(Fields& fields, const Form& form) {
  const Millis read = fields.duration(form.key, Millis(0));
  if (read < Millis(0) && form.action != Action::kStepClock) {
    fields.fail(form.key, "must be a duration that is not negative");
  }
  return read;
}

nlohmann::json read_with(Fields& fields, const Form& form) {
  const YAML::Node node = fields.node("with");
  if (!node.IsDefined() && form.action == Action::kCreate) return nlohmann::json::object();
  if (!node.IsDefined() || !node.IsMap()) fields.fail("with", "must be a mapping: what is changed");
  nlohmann::json with = json_of(node);
  const std::string problem = placeholder_problem(with.dump());
  if (!problem.empty()) fields.fail("with", problem);
  return with;
}

}  // namespace

Event read_event(Fields fields, const Scenario& scenario) {
  const Form& form = form_of(fields);
  const auto may = [&](const char* key) {
    return std::find(form.beside.begin(), form.beside.end(), key) != form.beside.end();
  };
  Event event;
  event.action = form.action;
  event.target = fields.text(form.key);
  check_target(fields, form, event.target, scenario);
  event.at = fields.duration("at", event.at);
  if (form.action == Action::kRejectSnapshot) event.times = 0;
  if (may("vm")) event.vm = fields.text("vm");
  if (!event.vm.empty() && scenario.find_vm(event.vm) == nullptr) fields.fail("vm", "names no VM of this file");
  if (may("vm") && event.vm.empty()) {
    if (scenario.vms.size() != 1) fields.fail("vm", "is missing: which VM?");
    event.vm = scenario.vms.front().name;
  }
  const bool of_backup = may("of") && form.names == Names::kDisk;
  if (of_backup) event.backup = fields.text("of");
  if (of_backup && scenario.find_backup(event.backup) == nullptr) fields.fail("of", "names no backup of this file");
  if (may("by")) event.by = read_by(fields, form);
  if (may("of") && form.action == Action::kWatches) event.of = fields.text("of");
  if (!event.of.empty() && find_kind(event.of) == nullptr) fields.fail("of", "is no kind that is known");
  if (may("times")) event.times = fields.text("times") == "always" ? 0 : fields.count("times", event.times);
  if (may("first")) event.first = fields.count("first", event.first);
  if (may("after-call")) event.after_call = fields.count("after-call", event.after_call);
  if (may("before-call")) event.before_call = fields.count("before-call", event.before_call);
  if (event.after_call > 0 && event.before_call > 0) fields.fail("before-call", "and 'after-call' do not go together");
  if (may("back-after")) event.back_after = fields.bound("back-after", event.back_after);
  if (may("tracker")) event.tracker = fields.yes("tracker", event.tracker);
  if (may("fails")) event.fails = fields.yes("fails", event.fails);
  if (may("every")) event.every = fields.duration("every", event.every);
  if (may("late-by")) event.late_by = fields.duration("late-by", event.late_by);
  if (may("with")) event.with = read_with(fields, form);
  for (const char* key : {"for", "takes"}) {
    if (may(key)) event.lasts = fields.duration(key, event.lasts);
  }
  if (form.names == Names::kDuration) event.lasts = read_signed(fields, form);
  if (form.action == Action::kWatches) check_watches(fields, event);
  fields.finish();
  return event;
}

}  // namespace runner
