#include "sweeper/looks.h"

#include "test/support/catch.h"

using namespace snapfreeze;
using namespace std::chrono_literals;
using sweeper::Look;
using sweeper::LookJob;
using sweeper::Looks;

namespace {

LookJob wanted(const std::string& vm, Wall since = Wall{}, const std::string& ns = "vms") {
  LookJob job;
  job.namespace_ = ns;
  job.vms[vm] = "7";
  job.backups = {"uid-" + vm};
  job.since = since;
  return job;
}

std::shared_ptr<const Look> found() {
  return std::make_shared<const Look>();
}

}  // namespace

TEST_CASE("a look serves those who asked before it began, and nobody who asked later") {
  Looks looks;
  CHECK(looks.ask("a", wanted("vm-a")).begin);
  CHECK_FALSE(looks.ask("b", wanted("vm-b", Wall{5s})).begin);
  CHECK_FALSE(looks.ask("c", wanted("vm-c", Wall{3s})).begin);
  CHECK_FALSE(looks.ask("a", wanted("vm-a")).begin);  // it is served by the one that runs
  const auto first = found();
  CHECK(looks.done("vms", first) == std::vector<std::string>{"a", "b", "c"});
  CHECK(looks.ask("a", wanted("vm-a")).look == first);
  const auto second = looks.ask("b", wanted("vm-b", Wall{5s}));
  REQUIRE(second.begin);
  CHECK(second.begin->vms == std::map<std::string, std::string>{{"vm-b", "7"}, {"vm-c", "7"}});
  CHECK(second.begin->backups == std::set<std::string>{"uid-vm-b", "uid-vm-c"});
  CHECK(second.begin->since == Wall{3s});
  const auto next = found();
  looks.done("vms", next);
  CHECK(looks.ask("b", wanted("vm-b")).look == next);
  CHECK(looks.ask("c", wanted("vm-c")).look == next);
}

TEST_CASE("two sessions of one guest that were told different things are told everything again") {
  Looks looks;
  looks.ask("a", wanted("vm-a"));
  auto other = wanted("vm-b");
  other.vms["vm-b"] = "";
  looks.ask("b", wanted("vm-b"));
  looks.ask("c", other);
  looks.done("vms", found());
  const auto both = looks.ask("b", wanted("vm-b"));
  REQUIRE(both.begin);
  CHECK(both.begin->vms == std::map<std::string, std::string>{{"vm-b", ""}});
}

TEST_CASE("few namespaces are looked at side by side, and the others come to their turn") {
  Looks looks;
  for (std::size_t i = 0; i < Looks::kAtOnce; ++i) {
    CHECK(looks.ask("s" + std::to_string(i), wanted("vm", Wall{}, "ns" + std::to_string(i))).begin);
  }
  CHECK_FALSE(looks.ask("late", wanted("vm", Wall{}, "other")).begin);
  CHECK(looks.done("ns0", found()) == std::vector<std::string>{"s0", "late"});
  CHECK(looks.ask("late", wanted("vm", Wall{}, "other")).begin);
}

TEST_CASE("a look that was used up, or is forgotten, is asked for anew") {
  Looks looks;
  CHECK(looks.ask("a", wanted("vm-a")).begin);
  looks.done("vms", found());
  looks.forget("a");
  CHECK(looks.ask("a", wanted("vm-a")).begin);
  looks.clear();
  CHECK(looks.done("vms", found()).empty());
}
