#include "test/runner/parse_events.h"

#include <algorithm>
#include <cctype>

namespace runner {
namespace {

enum class Names { kWords, kVm, kBackup, kDisk, kProcess };

// What each action's own key may say, and which keys may stand beside it.
struct Form {
  const char* key;
  Action action;
  Names names;
  std::vector<std::string> words;
  std::vector<std::string> beside;
};

const std::vector<Form>& forms() {
  static const std::vector<Form> kForms = {
      {"freeze",
       Action::kFreeze,
       Names::kWords,
       {"fails", "fails-half-way", "late"},
       {"vm", "by", "times", "first", "late-by"}},
      {"thaw", Action::kThaw, Names::kWords, {"fails", "late"}, {"vm", "by", "times", "first", "late-by"}},
      {"api-server", Action::kApiServer, Names::kWords, {"gone", "slow", "errors"}, {"for", "by", "times", "first"}},
      {"watches", Action::kWatches, Names::kWords, {"cut", "silent", "expired"}, {"times"}},
      {"lose-reply",
       Action::kLoseReply,
       Names::kWords,
       {"get", "list", "create", "patch", "delete", "freeze", "unfreeze"},
       {"by", "times", "first"}},
      {"stop", Action::kStop, Names::kVm, {}, {}},
      {"start", Action::kStart, Names::kVm, {}, {}},
      {"restart", Action::kRestart, Names::kVm, {}, {}},
      {"pause", Action::kPause, Names::kVm, {}, {}},
      {"resume", Action::kResume, Names::kVm, {}, {}},
      {"migrate", Action::kMigrate, Names::kVm, {}, {"takes"}},
      {"vm-snapshot", Action::kVmSnapshot, Names::kVm, {}, {"takes"}},
      {"freeze-by-hand", Action::kFreezeByHand, Names::kVm, {}, {"for"}},
      {"delete-backup", Action::kDeleteBackup, Names::kBackup, {}, {}},
      {"retry-backup", Action::kRetryBackup, Names::kBackup, {}, {}},
      {"delete-snapshot", Action::kDeleteSnapshot, Names::kDisk, {}, {"of"}},
      {"reject-snapshot", Action::kRejectSnapshot, Names::kDisk, {}, {"of"}},
      {"kill", Action::kKill, Names::kProcess, {}, {"after-call", "back-after"}},
      {"hang", Action::kHang, Names::kProcess, {}, {"for"}},
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
      return;
    case Names::kProcess:
      if (!is_process(target)) fields.fail(form.key, "must be webhooks, webhook-0, sweepers, sweeper-0 and so on");
      return;
  }
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
  if (may("vm")) event.vm = fields.text("vm");
  if (!event.vm.empty() && scenario.find_vm(event.vm) == nullptr) fields.fail("vm", "names no VM of this file");
  if (may("vm") && event.vm.empty()) {
    if (scenario.vms.size() != 1) fields.fail("vm", "is missing: which VM?");
    event.vm = scenario.vms.front().name;
  }
  if (may("of")) event.backup = fields.text("of");
  if (may("of") && scenario.find_backup(event.backup) == nullptr) fields.fail("of", "names no backup of this file");
  if (may("by")) event.by = fields.word("by", {"", "snapfreeze", "harvester", "webhooks", "sweepers"}, "");
  if (may("times")) event.times = fields.text("times") == "always" ? 0 : fields.count("times", event.times);
  if (may("first")) event.first = fields.count("first", event.first);
  if (may("after-call")) event.after_call = fields.count("after-call", event.after_call);
  if (may("back-after")) event.back_after = fields.bound("back-after", event.back_after);
  for (const char* key : {"for", "takes", "late-by"}) {
    if (may(key)) event.lasts = fields.duration(key, event.lasts);
  }
  fields.finish();
  return event;
}

}  // namespace runner
