#include "test/scenarios/runner/parse_expect.h"

#include <algorithm>

namespace runner {
namespace {

class ExpectReader {
 public:
  explicit ExpectReader(std::vector<Expectation>& out) : out_(out) {}

  void of(std::string subject) { of_ = std::move(subject); }

  void count(Fields& fields, const char* key, Field field) {
    if (fields.has(key)) add(fields, key, field).count = fields.count(key, 0);
  }
  void bound(Fields& fields, const char* key, Field field) {
    if (fields.has(key)) add(fields, key, field).bound = fields.bound(key, Millis(0));
  }
  void yes(Fields& fields, const char* key, Field field) {
    if (fields.has(key)) add(fields, key, field).yes = fields.yes(key, false);
  }
  void who(Fields& fields, const char* key, Field field) {
    static const std::vector<std::string> kWho = {"sweeper",   "webhook",  "timer",  "windows",
                                                  "power-off", "kubevirt", "by-hand"};
    if (fields.has(key)) add(fields, key, field).who = fields.word(key, kWho, "");
  }
  void verdict(Fields& fields, const std::string& key) {
    if (!fields.has(key)) return;
    Expectation& expectation = add(fields, key, Field::kVerdict);
    for (const std::string& text : fields.texts(key)) {
      const auto verdict = parse_verdict(text);
      if (!verdict) fields.fail(key, "is '" + text + "', must be filesystem, offline, none or crash (reason)");
      expectation.verdicts.push_back(*verdict);
    }
  }

 private:
  Expectation& add(Fields& fields, const std::string& key, Field field) {
    Expectation expectation;
    expectation.field = field;
    expectation.of = of_;
    expectation.where = fields.place_of(key);
    out_.push_back(expectation);
    return out_.back();
  }

  std::vector<Expectation>& out_;
  std::string of_;
};

template <class Items>
void check_names(Fields& fields, const std::vector<std::string>& given, const Items& items, const char* what) {
  std::vector<std::string> known;
  for (const auto& item : items) known.push_back(item.name);
  for (const std::string& name : given) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw FileError(fields.place_of(name) + ": expect: this file has no " + what + " '" + name + "'; did you mean '" +
                      nearest(name, known) + "'?");
    }
  }
  for (const std::string& name : known) {
    if (std::find(given.begin(), given.end(), name) == given.end()) {
      throw FileError(fields.place_of(name) + ": expect: says nothing of the " + what + " '" + name + "'");
    }
  }
}

void need(Fields& fields, std::initializer_list<const char*> any_of) {
  for (const char* key : any_of) {
    if (fields.has(key)) return;
  }
  fields.fail(*any_of.begin(), "is missing");
}

void read_vm(Fields fields, ExpectReader& read) {
  need(fields, {"freezes", "freezes-at-most"});
  read.count(fields, "freezes", Field::kFreezes);
  read.count(fields, "freezes-at-most", Field::kFreezesAtMost);
  read.bound(fields, "frozen-at-most", Field::kFrozenAtMost);
  read.who(fields, "thawed-by", Field::kThawedBy);
  read.yes(fields, "stays-frozen", Field::kStaysFrozen);
  fields.finish();
}

void read_backup(Fields fields, const std::string& key, ExpectReader& read) {
  need(fields, {"verdict"});
  need(fields, {"completes-within"});
  read.of(key);
  read.verdict(fields, "verdict");
  read.bound(fields, "completes-within", Field::kCompletesWithin);
  read.bound(fields, "thawed-within", Field::kThawedWithin);
  Fields disks = fields.fields("disks");
  for (const std::string& disk : disks.keys()) {
    read.of(key + "/" + disk);
    read.verdict(disks, disk);
  }
  fields.finish();
}

void read_longhorn(Fields fields, ExpectReader& read) {
  read.yes(fields, "asked", Field::kAsked);
  read.count(fields, "calls-at-most", Field::kCalls);
  read.count(fields, "calls-a-second-at-most", Field::kCallsASecond);
  fields.finish();
}

void read_snapshot(Fields fields, ExpectReader& read) {
  need(fields, {"verdict"});
  read.verdict(fields, "verdict");
  fields.finish();
}

}  // namespace

std::optional<Verdict> parse_verdict(const std::string& text) {
  if (text == "filesystem" || text == "offline" || text == "none") return Verdict{text, ""};
  constexpr std::string_view kBefore = "crash (";
  if (text.rfind(kBefore, 0) != 0 || text.back() != ')' || text.size() < kBefore.size() + 2) return std::nullopt;
  return Verdict{"crash", text.substr(kBefore.size(), text.size() - kBefore.size() - 1)};
}

std::string to_text(const Verdict& verdict) {
  return verdict.reason.empty() ? verdict.consistency : verdict.consistency + " (" + verdict.reason + ")";
}

std::vector<Expectation> read_expectations(Fields fields, const Scenario& scenario) {
  std::vector<Expectation> all;
  ExpectReader read(all);
  Fields vms = fields.fields("vms");
  check_names(vms, vms.keys(), scenario.vms, "VM");
  for (const Vm& vm : scenario.vms) {
    read.of(vm.key());
    read_vm(vms.fields(vm.name), read);
  }
  Fields backups = fields.fields("backups");
  check_names(backups, backups.keys(), scenario.backups, "backup");
  for (const Backup& backup : scenario.backups) {
    read_backup(backups.fields(backup.name), scenario.find_vm(backup.vm)->namespace_ + "/" + backup.name, read);
  }
  Fields snapshots = fields.fields("snapshots");
  check_names(snapshots, snapshots.keys(), scenario.snapshots, "snapshot");
  for (const Snapshot& snapshot : scenario.snapshots) {
    read.of(snapshot.namespace_ + "/" + snapshot.name);
    read_snapshot(snapshots.fields(snapshot.name), read);
  }
  read.of("longhorn/its-api");
  read_longhorn(fields.fields("longhorn"), read);
  fields.finish();
  return all;
}

}  // namespace runner
