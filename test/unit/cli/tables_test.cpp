// Tables of the command line that say what other files say too: the chart's rules and the documentation.
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>
#include <sstream>

#include "cli/check/rights.h"
#include "freeze/names.h"
#include "freeze/wording.h"
#include "test/support/catch.h"

namespace snapfreeze::cli {
namespace {

// "verb group resource name" of each rule.
void add_rules(const YAML::Node& rules, bool own, std::set<std::string>& all) {
  for (const YAML::Node& rule : rules) {
    std::vector<std::string> names{""};
    if (rule["resourceNames"]) names = rule["resourceNames"].as<std::vector<std::string>>();
    for (const auto& verb : rule["verbs"].as<std::vector<std::string>>()) {
      for (const auto& group : rule["apiGroups"].as<std::vector<std::string>>()) {
        for (const auto& resource : rule["resources"].as<std::vector<std::string>>()) {
          for (const auto& name : names) {
            all.insert(verb + " " + group + " " + resource + " " + name + (own ? " own" : ""));
          }
        }
      }
    }
  }
}

void add_rules_of_chart(const std::string& file, bool own, std::set<std::string>& all) {
  add_rules(YAML::LoadFile(SNAPFREEZE_SOURCE_DIR "/charts/snapfreeze/files/" + file), own, all);
}

std::set<std::string> lines_of(std::span<const Right> rights) {
  std::set<std::string> all;
  for (const Right& right : rights) {
    all.insert(std::string(right.verb) + " " + std::string(right.group) + " " + std::string(right.resource) + " " +
               std::string(right.name) + (right.own ? " own" : ""));
  }
  return all;
}

TEST_CASE("the rights that are checked are those that the chart grants") {
  std::set<std::string> webhook;
  add_rules_of_chart("webhook-cluster-rules.yaml", false, webhook);
  add_rules_of_chart("webhook-namespace-rules.yaml", true, webhook);
  CHECK(lines_of(webhook_rights()) == webhook);
  std::set<std::string> sweeper;
  add_rules_of_chart("sweeper-cluster-rules.yaml", false, sweeper);
  add_rules_of_chart("sweeper-namespace-rules.yaml", true, sweeper);
  auto checked = lines_of(sweeper_rights());
  checked.merge(lines_of(keeper_rights()));
  CHECK(checked == sweeper);
}

TEST_CASE("the role in docs/command-line.md has the rights that check asks for, and no others") {
  std::ifstream file(SNAPFREEZE_SOURCE_DIR "/docs/command-line.md");
  std::stringstream docs;
  docs << file.rdbuf();
  const std::string text = docs.str();
  const std::string fence = "```yaml\n";
  const auto begin = text.find(fence) + fence.size();
  std::set<std::string> documented;
  for (const YAML::Node& role : YAML::LoadAll(text.substr(begin, text.find("```\n", begin) - begin))) {
    add_rules(role["rules"], role["kind"].as<std::string>() == "Role", documented);
  }
  CHECK(documented == lines_of(admin_rights()));
}

// The cells of a row of a table in Markdown.
std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream text(row.substr(1));
  for (std::string cell; std::getline(text, cell, '|');) {
    const auto begin = cell.find_first_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
  }
  return cells;
}

TEST_CASE("reasons are explained as in docs/reasons.md, all of them") {
  std::ifstream docs(SNAPFREEZE_SOURCE_DIR "/docs/reasons.md");
  std::map<std::string, std::pair<std::string, std::string>> documented;
  for (std::string row; std::getline(docs, row);) {
    if (!row.starts_with("| `")) continue;
    const auto cells = cells_of(row);
    for (std::size_t at = 0; (at = cells[0].find('`', at)) != std::string::npos;) {
      const auto end = cells[0].find('`', at + 1);
      documented[cells[0].substr(at + 1, end - at - 1)] = {cells[1], cells.size() > 2 ? cells[2] : ""};
      at = end + 1;
    }
  }
  std::map<std::string, std::pair<std::string, std::string>> explained;
  for (const freeze::ReasonEntry& reason : freeze::kReasons) explained[reason.name] = {reason.meaning, reason.remedy};
  CHECK(explained == documented);
  CHECK(explained.size() == freeze::kReasons.size());
}

TEST_CASE("a reason in words, and one that nobody knows") {
  CHECK(freeze::explain_reason("no-agent") ==
        "no-agent: the guest agent is not connected (install and start `qemu-guest-agent` in the guest)");
  CHECK(freeze::explain_reason("rescued") ==
        "rescued: another program had left the guest frozen, and the sweeper thawed it");
  CHECK(freeze::explain_reason("whatever") == "whatever");
}

}  // namespace
}  // namespace snapfreeze::cli
