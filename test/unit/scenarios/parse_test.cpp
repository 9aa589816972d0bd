#include "test/scenarios/runner/parse.h"

#include "test/scenarios/runner/fields.h"
#include "test/scenarios/runner/placeholders.h"
#include "test/support/catch.h"

using namespace runner;

namespace {

const std::string kSound = R"(title: t
vms:
  db: {disks: 2}
backups:
  nightly: {vm: db, at: 1s}
events:
  - {at: 2s, freeze: fails, times: 2}
expect:
  vms:
    db: {freezes: 1, frozen-at-most: 1500ms}
  backups:
    nightly: {verdict: crash (late), completes-within: 3s}
)";

std::string with(const std::string& from, const std::string& to) {
  std::string text = kSound;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

Scenario parse(const std::string& text) {
  return parse_scenario(text, "a.yaml");
}

// The message less the file's name, or "" when the text is accepted.
std::string refusal(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const FileError& error) {
    const std::string message = error.what();
    CHECK(message.rfind("a.yaml:", 0) == 0);
    return message.substr(7);
  }
  return "";
}

}  // namespace

TEST_CASE("a scenario is read as it was written") {
  const Scenario scenario = parse(kSound);
  CHECK(scenario.vms.front().disks == 2);
  CHECK(scenario.backups.front().at == Millis(1000));
  CHECK(scenario.events.front().action == Action::kFreeze);
  CHECK(scenario.events.front().vm == "db");
  CHECK(scenario.events.front().times == 2);
  REQUIRE(scenario.expectations.size() == 4);
  CHECK(scenario.expectations[1].bound == Millis(1500));
  CHECK(scenario.expectations[2].of == "vms/nightly");
  CHECK(scenario.expectations[2].verdicts == std::vector<Verdict>{{"crash", "late"}});
}

TEST_CASE("an unknown key is refused with its line and the nearest known one, wherever it stands") {
  CHECK(refusal(with("title: t", "titel: t")).find("title") != std::string::npos);
  CHECK(refusal(with("{disks: 2}", "{disk: 2}")) == "3: scenario.vms.db: unknown key 'disk'; did you mean 'disks'?");
  CHECK(refusal(with("at: 1s", "when: 1s")).find("5: ") == 0);
  CHECK(refusal(with("times: 2", "time: 2")) == "7: scenario.events: unknown key 'time'; did you mean 'times'?");
  CHECK(refusal(with("frozen-at-most", "frozen-for-most")).find("did you mean 'frozen-at-most'?") != std::string::npos);
  CHECK(refusal(with("expect:", "expct: 1\nexpect:")) == "8: scenario: unknown key 'expct'; did you mean 'expect'?");
}

TEST_CASE("a key that stands beside another event's is refused") {
  CHECK(refusal(with("freeze: fails, times: 2", "stop: db, times: 2")).find("unknown key 'times'") !=
        std::string::npos);
}

TEST_CASE("an event that says nothing known is refused with the nearest") {
  CHECK(refusal(with("freeze: fails", "freez: fails")).find("the nearest is 'freeze'") != std::string::npos);
}

TEST_CASE("a value of another form is refused with what would be right") {
  CHECK(refusal(with("disks: 2", "disks: two")) == "3: scenario.vms.db.disks is 'two', must be a number such as 2");
  CHECK(refusal(with("1500ms", "1500")).find("must be a duration") != std::string::npos);
  CHECK(refusal(with("fails", "explodes")).find("must be one of: fails, fails-half-way, late") != std::string::npos);
  CHECK(refusal(with("crash (late)", "crash")).find("must be filesystem, offline, none or crash (reason)") !=
        std::string::npos);
}

TEST_CASE("a name that the file does not have is refused") {
  CHECK(refusal(with("{vm: db", "{vm: bd")).find("names no VM of this file") != std::string::npos);
  CHECK(refusal(with("nightly: {verdict", "weekly: {verdict")).find("has no backup 'weekly'") != std::string::npos);
}

TEST_CASE("a VM or backup of which nothing is expected is refused") {
  CHECK(refusal(with("{freezes: 1, frozen-at-most: 1500ms}", "{frozen-at-most: 1500ms}")).find("freezes is missing") !=
        std::string::npos);
  CHECK(refusal(with(", completes-within: 3s", "")).find("completes-within is missing") != std::string::npos);
  CHECK(refusal(with("    db: {freezes: 1, frozen-at-most: 1500ms}\n", "")).find("says nothing of the VM 'db'") !=
        std::string::npos);
  CHECK(refusal(with("  backups:\n    nightly: {verdict: crash (late), completes-within: 3s}\n", ""))
            .find("says nothing of the backup 'nightly'") != std::string::npos);
}

TEST_CASE("what is no YAML is refused with its line") {
  CHECK(refusal("title: t\nvms: {").find("2: ") == 0);
}

TEST_CASE("a key given twice is refused") {
  CHECK(refusal(with("{disks: 2}", "{disks: 2, disks: 3}")).find("'disks' is given twice") != std::string::npos);
}

namespace {

// The scenario with this event instead of its own.
Event event(const std::string& text) {
  return parse(with("{at: 2s, freeze: fails, times: 2}", text)).events.front();
}

std::string event_refusal(const std::string& text) {
  return refusal(with("{at: 2s, freeze: fails, times: 2}", text));
}

}  // namespace

TEST_CASE("watches of one kind and one process are silent, or lag, for a time") {
  const Event silent = event("{at: 1s, watches: silent, of: vmis, by: sweeper-0, for: 30s}");
  CHECK(silent.of == "vmis");
  CHECK(silent.by == "sweeper-0");
  CHECK(silent.times == 0);
  CHECK(silent.lasts == Millis(30000));
  CHECK(event("{watches: lag, late-by: 20s}").late_by == Millis(20000));
  CHECK(event("{watches: silent, times: 3}").times == 3);
  CHECK(event_refusal("{watches: lag}").find("late-by is missing") != std::string::npos);
  CHECK(event_refusal("{watches: silent, of: vmi, late-by: 1s}").find("late-by is of watches that lag") !=
        std::string::npos);
  CHECK(event_refusal("{watches: cut, for: 3s}").find("for is of watches that are silent") != std::string::npos);
  CHECK(event_refusal("{watches: lag, late-by: 1s, times: 2}").find("times is not of") != std::string::npos);
  CHECK(event_refusal("{watches: silent, of: dogs}").find("is no kind that is known") != std::string::npos);
  CHECK(event_refusal("{watches: expired, of: vmis}").find("not of watches that expire") != std::string::npos);
}

TEST_CASE("any object is patched, created and deleted by anyone, with placeholders") {
  const Event patch = event(
      "{at: 2s, patch: 'snapshots/other/${snapshot:nightly/db-disk-0}', by: tenant-of-other, with: {metadata: {labels: "
      "{epoch: '${epoch:db}', n: '7'}, finalizers: null}, spec: {a: 7, b: true}}}");
  CHECK(patch.action == Action::kPatch);
  CHECK(patch.by == "tenant-of-other");
  CHECK(patch.with == nlohmann::json::parse(R"({"metadata": {"labels": {"epoch": "${epoch:db}", "n": "7"},
        "finalizers": null}, "spec": {"a": 7, "b": true}})"));
  CHECK(event("{delete: leases/snapfreeze/x, by: admin}").action == Action::kDelete);
  CHECK(event("{create: pods/vms/x}").by == "tenant");
  CHECK(event("{delete: contents/snapcontent-x}").target == "contents/snapcontent-x");
  CHECK(event_refusal("{delete: snapshots/x}").find("must name an object as snapshots/vms/name") != std::string::npos);
  CHECK(event_refusal("{delete: dogs/vms/x}").find("must name an object") != std::string::npos);
  CHECK(event_refusal("{patch: snapshots/vms/x}").find("with must be a mapping") != std::string::npos);
  CHECK(event_refusal("{delete: 'snapshots/vms/${epok:db}'}").find("a placeholder must be one of") !=
        std::string::npos);
  CHECK(event_refusal("{delete: 'snapshots/vms/${epoch:db'}").find("without end or colon") != std::string::npos);
  CHECK(event_refusal("{delete: snapshots/vms/x, by: bob}").find("must be admin, tenant") != std::string::npos);
}

TEST_CASE("an object's name is its kind, its namespace and its name") {
  const ObjectName of = parse_object_name("volumesnapshots/vms/${snapshot:nightly/db-disk-0}");
  REQUIRE(of.kind != nullptr);
  CHECK(of.kind->word == std::string("snapshots"));
  CHECK(of.ns == "vms");
  CHECK(of.name == "${snapshot:nightly/db-disk-0}");
  CHECK(parse_object_name("contents/a").ns.empty());
  CHECK(parse_object_name("vms/vms/").kind == nullptr);
}

TEST_CASE("placeholders are filled one by one") {
  const auto echo = [](const Placeholder& placeholder) { return "<" + placeholder.word + "|" + placeholder.of + ">"; };
  CHECK(filled("a${epoch:db}b${uid:backup/n}", echo) == "a<epoch|db>b<uid|backup/n>");
  CHECK(filled("plain $ {}", echo) == "plain $ {}");
}

TEST_CASE("a process is stopped after or before a call, not both") {
  CHECK(event("{hang: sweeper-0, for: 2m, after-call: 4}").after_call == 4);
  CHECK(event("{hang: webhook-1, for: 2m, before-call: 4}").before_call == 4);
  CHECK(event_refusal("{hang: sweeper-0, for: 2m, after-call: 4, before-call: 4}").find("do not go together") !=
        std::string::npos);
}

TEST_CASE("the API server's clock is set forth and back, its etcd back only") {
  CHECK(event("{step-clock: 1h}").lasts == Millis(3'600'000));
  CHECK(event("{step-clock: -1h}").lasts == Millis(-3'600'000));
  CHECK(event("{restore-etcd: 5s}").lasts == Millis(5000));
  CHECK(event_refusal("{restore-etcd: -5s}").find("not negative") != std::string::npos);
}

TEST_CASE("guests end from inside and by hands, VMs come again") {
  for (const char* word : {"power-off", "crash", "recreate", "thaw-by-hand"}) {
    CHECK(event("{" + std::string(word) + ": db}").target == "db");
    CHECK(event_refusal("{" + std::string(word) + ": web}").find("names no VM of this file") != std::string::npos);
  }
}

TEST_CASE("KubeVirt's own backup takes a time, may name a tracker, and may fail") {
  const Event backup = event("{kubevirt-backup: db, takes: 5s, tracker: yes, fails: yes}");
  CHECK(backup.lasts == Millis(5000));
  CHECK(backup.tracker);
  CHECK(backup.fails);
}

TEST_CASE("Harvester restarts, retries in bursts and refuses a disk so many times") {
  CHECK(event("{harvester: restarts}").action == Action::kHarvester);
  const Event retry = event("{retry-backup: nightly, times: 11, every: 450ms}");
  CHECK(retry.times == 11);
  CHECK(retry.every == Millis(450));
  CHECK(event("{reject-snapshot: db-disk-0, of: nightly}").times == 0);
  CHECK(event("{reject-snapshot: db-disk-0, of: nightly, times: 2}").times == 2);
}

TEST_CASE("VMs share disks and have others plugged in, pods mount them, kinds are served in other versions") {
  const Scenario scenario = parse(with("{disks: 2}",
                                       "{disks: 2, shares: web-disk-0, hot-plugged: 1, state: powered-off}\n"
                                       "pods:\n  copier: {mounts: [db-disk-0, db-disk-1], at: 1s, for: 5s}\n"
                                       "kubevirt: {version: 1.9}\nserved: {kubevirt-backups: v1beta1, longhorn: no}\n"
                                       "harvester: {version: 1.8, retries: 3, retry-every: 1s}\n"
                                       "storage: {errors: always, error-every: 1s}"));
  const Vm& vm = scenario.vms.front();
  CHECK(vm.shares == std::vector<std::string>{"web-disk-0"});
  CHECK(vm.all_disks() == 3);
  CHECK(vm.hot_plugged == 1);
  CHECK(vm.state == "powered-off");
  CHECK(scenario.pods.front().mounts.size() == 2);
  CHECK(scenario.pods.front().lasts == Millis(5000));
  CHECK(scenario.kubevirt == "1.9");
  REQUIRE(scenario.served.size() == 2);
  CHECK(scenario.served[0].version == "v1beta1");
  CHECK(scenario.served[1].version.empty());
  CHECK_FALSE(scenario.harvester.stops_at_failure);
  CHECK(scenario.harvester.retries == 3);
  CHECK(scenario.storage.errors == -1);
  CHECK(scenario.storage.error_every == Millis(1000));
}

TEST_CASE("what a pod mounts must be said, and a kind that is served be known") {
  CHECK(refusal(with("events:", "pods:\n  copier: {}\nevents:")).find("mounts is missing") != std::string::npos);
  CHECK(refusal(with("events:", "served: {dogs: v1}\nevents:")).find("is no kind that is known") != std::string::npos);
}

TEST_CASE("a snapshot has labels and annotations of any kind, with placeholders") {
  const std::string snapshots =
      "snapshots:\n  a: {disk: db-disk-0, labels: {x/epoch: '${epoch:db}'}, annotations: {y: 'true'}}\nevents:";
  const std::string expected = "expect:\n  snapshots:\n    a: {verdict: none}";
  std::string text = with("events:", snapshots);
  text.replace(text.find("expect:"), 7, expected);
  const Scenario scenario = parse(text);
  CHECK(scenario.snapshots.front().labels.at("x/epoch") == "${epoch:db}");
  CHECK(scenario.snapshots.front().annotations.at("y") == "true");
}

TEST_CASE("a process is killed or stopped at each of its calls") {
  CHECK(parse(with("events:", "stop-at-each-call: sweeper\nevents:")).stop_at_each_call == "sweeper");
  CHECK(parse(with("events:", "kill-after-each-call: webhook\nevents:")).kill_after_each_call == "webhook");
  CHECK(refusal(with("events:", "stop-at-each-call: harvester\nevents:")).find("must be one of: webhook, sweeper") !=
        std::string::npos);
}

TEST_CASE("what Longhorn's own API says, and how it answers, is read for the storage and for each disk") {
  const std::string storage =
      "storage: {kind: old-longhorn, confirms: no, live: {delay: 70ms, lies: yes, vanishes-after: 2s},"
      " disks: {db-disk-0: {live: {removed: yes, by-system: yes, other-snapshots: 10000}}}}\nevents:";
  const Scenario scenario = parse(with("events:", storage));
  CHECK_FALSE(scenario.storage.confirms);
  CHECK(scenario.storage.live.delay == Millis(70));
  CHECK(scenario.storage.live.lies);
  CHECK(scenario.storage.live.vanishes == Millis(2000));
  const Live& disk = scenario.disks.front().storage.live;
  CHECK(disk.delay == Millis(70));
  CHECK(disk.removed);
  CHECK(disk.by_system);
  CHECK(disk.others == 10000);
  CHECK(scenario.product.longhorn_url);
  CHECK_FALSE(parse(with("events:", "snapfreeze: {longhorn-url: no}\nevents:")).product.longhorn_url);
  CHECK(refusal(with("events:", "storage: {live: {delya: 1s}}\nevents:")).find("delay") != std::string::npos);
}

TEST_CASE("what is expected of the calls of Longhorn's API is read") {
  const auto expectations =
      parse(with("expect:", "expect:\n  longhorn: {asked: yes, calls-at-most: 9, calls-a-second-at-most: 40}"))
          .expectations;
  REQUIRE(expectations.size() >= 3);
  const auto last = expectations.end();
  CHECK((last - 3)->field == Field::kAsked);
  CHECK((last - 2)->count == 9);
  CHECK((last - 1)->field == Field::kCallsASecond);
}
