#include "test/runner/parse.h"

#include "test/runner/fields.h"
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
