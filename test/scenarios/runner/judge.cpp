#include "test/scenarios/runner/judge.h"

#include <algorithm>

#include "base/time.h"
#include "test/scenarios/runner/objects.h"

namespace runner {
namespace {

// What a creation may take beside the webhook.
constexpr Millis kCreation{500};
// KubeVirt's timer at its configured maximum of 60 s, and 10 s for a call that virt-api gave up on.
constexpr Millis kLongestFrozen{70000};

const std::string kVmHolds = "vm ";

std::string text(Since time) {
  return snapfreeze::format_duration(std::chrono::duration_cast<Millis>(time));
}

std::string text(const std::vector<Verdict>& verdicts) {
  std::string all;
  for (const Verdict& verdict : verdicts) all += (all.empty() ? "" : " or ") + to_text(verdict);
  return all;
}

Since length(const Interval& interval, Since now) {
  return interval.until.value_or(now) - interval.from;
}

int most_in_a_second(const std::vector<Since>& calls) {
  std::size_t most = 0;
  for (auto first = calls.begin(), end = first; first != calls.end(); ++first) {
    while (end != calls.end() && *end < *first + Since(Millis(1000))) ++end;
    most = std::max(most, static_cast<std::size_t>(end - first));
  }
  return static_cast<int>(most);
}

bool ours(const std::string& who) {
  return who == "webhook" || who == "sweeper";
}

class Judge {
 public:
  Judge(const Scenario& scenario, const Outcome& outcome, Millis slack)
      : scenario_(scenario), outcome_(outcome), seen_(outcome.seen), slack_(slack) {}

  void expectation(const Expectation& expected);
  void promises(Millis webhook_timeout);
  Failures failures;

 private:
  void fail(const std::string& of, const std::string& what) { failures.push_back(of + ": " + what); }
  void expect(bool holds, const Expectation& expected, const std::string& wanted, const std::string& found) {
    if (!holds) failures.push_back(expected.where + ": " + expected.of + ": expected " + wanted + ", found " + found);
  }

  const Guest& guest(const std::string& vm) const {
    static const Guest kNone;
    const auto found = seen_.guests.find(vm);
    return found == seen_.guests.end() ? kNone : found->second;
  }
  int freezes(const std::string& vm) const {
    const auto& all = guest(vm).frozen;
    return static_cast<int>(
        std::count_if(all.begin(), all.end(), [](const Frozen& one) { return ours(one.frozen_by); }));
  }
  std::vector<const SeenSnapshot*> snapshots_of(const std::string& backup) const;
  std::vector<std::pair<std::string, Verdict>> verdicts_for(const Expectation& expected) const;
  void expect_verdicts(const Expectation& expected);
  void expect_frozen_at_most(const Expectation& expected);
  void expect_thawed_by(const Expectation& expected);
  void expect_completes(const Expectation& expected);
  void expect_thawed_within(const Expectation& expected);
  void expect_calls(const Expectation& expected, int found, const std::string& what);
  [[nodiscard]] std::vector<std::string> writers(const SeenSnapshot& snapshot, Since first, Since last) const;
  [[nodiscard]] bool is_frozen(const std::string& holder, Since first, Since last) const;
  bool truly(const std::string& consistency, const std::vector<const SeenSnapshot*>& snapshots) const;
  void verdicts_are_true();

  const Scenario& scenario_;
  const Outcome& outcome_;
  const Observed& seen_;
  const Millis slack_;
};

// `backup` is "namespace/name" of a Harvester backup: its members by name, as anybody may copy its owner reference.
std::vector<const SeenSnapshot*> Judge::snapshots_of(const std::string& backup) const {
  std::vector<const SeenSnapshot*> found;
  for (const auto& [key, snapshot] : seen_.snapshots) {
    if (key == snapshot_name(backup, snapshot.disk)) found.push_back(&snapshot);
  }
  return found;
}

// What a verdict's expectation is about: an object, or a backup with all its snapshots that have none of their own.
std::vector<std::pair<std::string, Verdict>> Judge::verdicts_for(const Expectation& expected) const {
  if (const auto snapshot = seen_.snapshots.find(expected.of); snapshot != seen_.snapshots.end()) {
    return {{expected.of, snapshot->second.verdict}};
  }
  const auto slashes = std::count(expected.of.begin(), expected.of.end(), '/');
  std::vector<std::pair<std::string, Verdict>> found;
  const std::string backup = slashes == 2 ? expected.of.substr(0, expected.of.rfind('/')) : expected.of;
  const auto object = seen_.backups.find(backup);
  if (slashes == 1 && object != seen_.backups.end()) found.emplace_back(backup, object->second.verdict);
  for (const SeenSnapshot* snapshot : snapshots_of(backup)) {
    const std::string disk = backup + "/" + snapshot->disk;
    const auto own = [&](const Expectation& other) { return other.of == disk && other.field == Field::kVerdict; };
    const auto& all = scenario_.expectations;
    const bool has_own = std::any_of(all.begin(), all.end(), own);
    if (slashes == 2 ? disk == expected.of : !has_own) found.emplace_back(disk, snapshot->verdict);
  }
  return found;
}

void Judge::expect_verdicts(const Expectation& expected) {
  const auto found = verdicts_for(expected);
  const std::vector<Verdict>& wanted = expected.verdicts;
  // A backup or snapshot that is gone, or was never stored, has none.
  const bool may_be_gone = std::find(wanted.begin(), wanted.end(), Verdict{"none", ""}) != wanted.end();
  if (found.empty()) expect(may_be_gone, expected, text(wanted), "no such object");
  for (const auto& [of, verdict] : found) {
    const bool holds = std::find(wanted.begin(), wanted.end(), verdict) != wanted.end();
    expect(holds, expected, text(wanted), to_text(verdict) + (of == expected.of ? "" : " on " + of));
  }
}

void Judge::expect_frozen_at_most(const Expectation& expected) {
  Since longest{0};
  for (const Frozen& frozen : guest(expected.of).frozen) longest = std::max(longest, length(frozen, seen_.now));
  const bool holds = expected.bound && longest <= *expected.bound + slack_;
  expect(holds, expected, "to be frozen for at most " + text(expected.bound.value_or(Millis(0))), text(longest));
}

void Judge::expect_thawed_by(const Expectation& expected) {
  const auto& frozen = guest(expected.of).frozen;
  const std::string who = frozen.empty() ? "nobody" : frozen.back().until ? frozen.back().thawed_by : "nobody yet";
  expect(who == expected.who, expected, "to be thawed at last by " + expected.who, who);
}

void Judge::expect_completes(const Expectation& expected) {
  const auto completed = outcome_.completed_after.find(expected.of);
  const bool did = completed != outcome_.completed_after.end();
  const std::string found = did ? text(completed->second) : "never";
  if (!expected.bound) return expect(!did, expected, "never to complete", found);
  expect(did && completed->second <= *expected.bound + slack_, expected, "to complete within " + text(*expected.bound),
         found);
}

void Judge::expect_thawed_within(const Expectation& expected) {
  std::optional<Since> last;
  std::string vm;
  for (const SeenSnapshot* snapshot : snapshots_of(expected.of)) {
    if (snapshot->cut) last = std::max(last.value_or(Since(0)), *snapshot->cut);
    vm = snapshot->vm;
  }
  std::string found = "no freeze at the last cut";
  bool holds = false;
  for (const Frozen& frozen : guest(vm).frozen) {
    if (!last || !frozen.touches(*last, *last) || !frozen.until) continue;
    holds = expected.bound && *frozen.until - *last <= *expected.bound + slack_;
    found = text(*frozen.until - *last);
  }
  expect(holds, expected, "to be thawed within " + text(expected.bound.value_or(Millis(0))) + " of the last cut",
         found);
}

void Judge::expect_calls(const Expectation& expected, int found, const std::string& what) {
  expect(found <= expected.count, expected, "at most " + std::to_string(expected.count) + " " + what,
         std::to_string(found));
}

void Judge::expectation(const Expectation& expected) {
  switch (expected.field) {
    case Field::kFreezes:
      return expect(freezes(expected.of) == expected.count, expected,
                    "to be frozen " + std::to_string(expected.count) + " times", std::to_string(freezes(expected.of)));
    case Field::kFreezesAtMost:
      return expect(freezes(expected.of) <= expected.count, expected,
                    "to be frozen at most " + std::to_string(expected.count) + " times",
                    std::to_string(freezes(expected.of)));
    case Field::kFrozenAtMost:
      return expect_frozen_at_most(expected);
    case Field::kThawedBy:
      return expect_thawed_by(expected);
    case Field::kStaysFrozen: {
      const auto& frozen = guest(expected.of).frozen;
      const bool still = !frozen.empty() && !frozen.back().until;
      return expect(still == expected.yes, expected, expected.yes ? "to stay frozen" : "to be thawed",
                    still ? "frozen" : "thawed");
    }
    case Field::kVerdict:
      return expect_verdicts(expected);
    case Field::kCompletesWithin:
      return expect_completes(expected);
    case Field::kThawedWithin:
      return expect_thawed_within(expected);
    case Field::kAsked:
      return expect(seen_.longhorn_calls.empty() != expected.yes, expected, expected.yes ? "to be asked" : "no call",
                    std::to_string(seen_.longhorn_calls.size()) + " calls");
    case Field::kCalls:
      return expect_calls(expected, static_cast<int>(seen_.longhorn_calls.size()), "calls");
    case Field::kCallsASecond:
      return expect_calls(expected, most_in_a_second(seen_.longhorn_calls), "calls in one second");
  }
}

// Who may write to this disk in that time. A disk without known holders belongs to its VM alone.
std::vector<std::string> Judge::writers(const SeenSnapshot& snapshot, Since first, Since last) const {
  const auto holders = seen_.holders.find(snapshot.claim);
  std::vector<std::string> found;
  if (holders == seen_.holders.end()) {
    for (const Interval& power : guest(snapshot.vm).powered) {
      if (power.touches(first, last)) found.push_back(kVmHolds + snapshot.vm);
    }
    return found;
  }
  for (const Holder& holder : holders->second) {
    if (holder.touches(first, last)) found.push_back(holder.by);
  }
  return found;
}

bool Judge::is_frozen(const std::string& holder, Since first, Since last) const {
  if (holder.rfind(kVmHolds, 0) != 0) return false;
  const auto& frozen = guest(holder.substr(kVmHolds.size())).frozen;
  return std::any_of(frozen.begin(), frozen.end(),
                     [&](const Frozen& one) { return one.whole && one.covers(first, last); });
}

// From the first cut to the last, each of the disks had somebody who was frozen all the time and nobody who was not, or
// nobody at all.
bool Judge::truly(const std::string& consistency, const std::vector<const SeenSnapshot*>& snapshots) const {
  std::optional<Since> first, last;
  for (const SeenSnapshot* snapshot : snapshots) {
    if (!snapshot->cut) return false;
    first = std::min(first.value_or(*snapshot->cut), *snapshot->cut);
    last = std::max(last.value_or(*snapshot->cut), *snapshot->cut);
  }
  return first && std::all_of(snapshots.begin(), snapshots.end(), [&](const SeenSnapshot* snapshot) {
           const auto all = writers(*snapshot, *first, *last);
           if (consistency == "offline") return all.empty();
           return !all.empty() && std::all_of(all.begin(), all.end(),
                                              [&](const auto& writer) { return is_frozen(writer, *first, *last); });
         });
}

void Judge::verdicts_are_true() {
  // Snapshots of one backup and epoch that are said to be consistent are so together.
  std::map<std::string, std::vector<const SeenSnapshot*>> together;
  for (const auto& [key, snapshot] : seen_.snapshots) {
    const std::string& said = snapshot.verdict.consistency;
    if (said != "filesystem" && said != "offline") continue;
    if (!truly(said, {&snapshot})) fail(key, "says " + said + ", which is not true");
    const std::string prefix = key.substr(0, key.find('/') + 1);
    together[said + " " + prefix + snapshot.backup + " " + snapshot.epoch].push_back(&snapshot);
  }
  for (const auto& [key, snapshots] : together) {
    if (!truly(key.substr(0, key.find(' ')), snapshots)) fail(key, "says so of disks of different moments");
  }
  for (const auto& [key, backup] : seen_.backups) {
    const std::string& said = backup.verdict.consistency;
    if (said != "filesystem" && said != "offline") continue;
    const auto snapshots = snapshots_of(key);
    const Backup* of = scenario_.find_backup(key.substr(key.find('/') + 1));
    const bool whole = of != nullptr && static_cast<int>(snapshots.size()) == scenario_.find_vm(of->vm)->all_disks();
    if (!whole || !truly(said, snapshots)) fail(key, "says " + said + ", which is not true");
  }
}

void Judge::promises(Millis webhook_timeout) {
  if (seen_.longest_admission > webhook_timeout + kCreation + slack_) {
    fail("admission", "held a snapshot up for " + text(seen_.longest_admission));
  }
  for (const auto& [vm, guest] : seen_.guests) {
    if (may_stay_frozen(scenario_, vm)) continue;
    for (const Frozen& frozen : guest.frozen) {
      if (!frozen.until) fail(vm, "is frozen at the end, by " + frozen.frozen_by);
      const bool too_long = length(frozen, seen_.now) > kLongestFrozen + slack_;
      if (too_long && ours(frozen.frozen_by)) fail(vm, "was frozen for " + text(length(frozen, seen_.now)));
    }
  }
  verdicts_are_true();
  for (const std::string& call : seen_.unrecorded) fail(call, "was not on record");
  if (seen_.sessions != 0) fail("sessions", std::to_string(seen_.sessions) + " are left at the end");
}

}  // namespace

bool may_stay_frozen(const Scenario& scenario, const std::string& vm) {
  const auto& all = scenario.expectations;
  return std::any_of(all.begin(), all.end(), [&](const Expectation& one) {
    return one.field == Field::kStaysFrozen && one.of == vm && one.yes;
  });
}

Failures judge_expectations(const Scenario& scenario, const Outcome& outcome, Millis slack) {
  Judge judge(scenario, outcome, slack);
  for (const Expectation& expected : scenario.expectations) judge.expectation(expected);
  return std::move(judge.failures);
}

Failures judge_promises(const Scenario& scenario, const Outcome& outcome, Millis slack, Millis webhook_timeout) {
  Judge judge(scenario, outcome, slack);
  judge.promises(webhook_timeout);
  return std::move(judge.failures);
}

}  // namespace runner
