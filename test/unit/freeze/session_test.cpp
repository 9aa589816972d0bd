#include "freeze/session.h"

#include <fstream>

#include "freeze/names.h"
#include "test/unit/freeze/leases.h"

using namespace snapfreeze;
using namespace test;
using freeze::Hold;
using freeze::Phase;
using freeze::Reason;
using freeze::Session;

namespace {

// The lines of the diagram of the session's machine in `file`, less `indent`.
std::vector<std::string> machine_drawn_in(const std::string& file, const std::string& indent) {
  std::ifstream text(SNAPFREEZE_SOURCE_DIR "/" + file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    const bool drawn = line.starts_with(indent + (lines.empty() ? "(none)" : " "));
    if (drawn) lines.push_back(line.substr(indent.size()));
    if (!drawn && !lines.empty()) break;
  }
  return lines;
}

}  // namespace

TEST_CASE("a hold is found by kind, name and uid, not by its count") {
  const Session session = frozen();
  CHECK(session.find_hold({Hold::Kind::kHarvester, "nightly", "backup-uid", 3}) == &session.holds.front());
  CHECK(session.find_hold({Hold::Kind::kHarvester, "nightly", "another", 0}) == nullptr);
  CHECK(session.find_hold({Hold::Kind::kLabel, "nightly", "backup-uid", 0}) == nullptr);
}

TEST_CASE("a doubt is kept once, the first one first") {
  Session session;
  for (const char* doubt : {"lapsed", "migrated", "lapsed"}) session.doubt(Reason::named(doubt));
  CHECK(session.doubts == std::vector<Reason>{freeze::reason::kLapsed, freeze::reason::kMigrated});
}

TEST_CASE("docs and code draw the same machine, with each phase in it") {
  const auto drawn = machine_drawn_in("freeze/session.h", "//   ");
  CHECK(drawn == machine_drawn_in("docs/how-it-works.md", "    "));
  std::string all;
  for (const std::string& line : drawn) all += line + "\n";
  for (const Phase phase : {Phase::kFreezing, Phase::kFrozen, Phase::kThawing, Phase::kResting}) {
    CHECK(all.find(to_string(phase)) != std::string::npos);
  }
}
