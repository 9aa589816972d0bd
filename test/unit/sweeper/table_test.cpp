#include "sweeper/world/table.h"

#include "test/support/catch.h"

using snapfreeze::sweeper::Table;

namespace {

struct Record {
  std::string owner;
  std::string colour;
};
struct ByOwner {
  static std::string key(const Record& record) { return record.owner; }
};
struct ByColour {
  static std::string key(const Record& record) { return record.colour; }
};
using Ids = std::set<std::string>;

}  // namespace

TEST_CASE("a record is found under what it says now, however it changed") {
  Table<Record, ByOwner, ByColour> table;
  table.put("a", {"x", "red"});
  table.put("b", {"x", "blue"});
  CHECK(table.at<ByOwner>("x") == Ids{"a", "b"});
  CHECK(table.at<ByColour>("red") == Ids{"a"});
  table.put("a", {"y", "red"});
  CHECK(table.at<ByOwner>("x") == Ids{"b"});
  CHECK(table.at<ByOwner>("y") == Ids{"a"});
  table.change("b", [](Record& record) { record.owner = "y"; });
  CHECK(table.at<ByOwner>("x").empty());
  CHECK(table.at<ByOwner>("y") == Ids{"a", "b"});
}

TEST_CASE("nothing points to a record that is gone, or that says nothing") {
  Table<Record, ByOwner, ByColour> table;
  table.put("a", {"x", ""});
  CHECK(table.at<ByColour>("").empty());
  table.change("a", [](Record& record) { record.owner = "y"; });
  table.erase("a");
  CHECK(table.at<ByOwner>("x").empty());
  CHECK(table.at<ByOwner>("y").empty());
  table.erase("a");
  table.change("a", [](Record& record) { record.owner = "z"; });
  CHECK(table.at<ByOwner>("z").empty());
  CHECK(table.size() == 0);
}

TEST_CASE("what a relist does not name is gone") {
  Table<Record, ByOwner> table;
  CHECK_FALSE(table.synced());
  table.relist_started();
  table.put("a", {"x", ""});
  table.put("b", {"x", ""});
  CHECK(table.relist_done().empty());
  CHECK(table.live());
  table.relist_started();
  CHECK(table.relisting());
  CHECK_FALSE(table.live());
  table.name("a");
  table.name("nobody");
  CHECK(table.relist_done() == std::vector<std::string>{"b"});
}
