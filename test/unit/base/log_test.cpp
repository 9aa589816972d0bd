#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "test/support/catch.h"
#include "test/unit/base/random_json.h"

// Not an alias for snapfreeze::log: <cmath> has a log of its own.
using namespace snapfreeze;

namespace {

// What `action` writes to file descriptor 2, line by line.
std::vector<std::string> lines_of(const std::function<void()>& action) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int saved = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  action();
  dup2(saved, STDERR_FILENO);
  close(saved);

  std::rewind(file);
  std::vector<std::string> lines(1);
  for (int byte = std::fgetc(file); byte != EOF; byte = std::fgetc(file)) {
    if (byte == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += static_cast<char>(byte);
    }
  }
  std::fclose(file);
  CHECK(lines.back().empty());
  lines.pop_back();
  return lines;
}

std::string line_of(const std::function<void()>& action) {
  const std::vector<std::string> lines = lines_of(action);
  REQUIRE(lines.size() == 1);
  return lines.front();
}

Json json_of(const std::string& line) {
  INFO(line);
  const auto json = Json::parse(line);
  REQUIRE(json.ok());
  return *json;
}

}  // namespace

TEST_CASE("a JSON line holds time, level, message and the fields in their order") {
  log::configure(log::Format::kJson, log::Level::kInfo);
  const std::string line = line_of([] {
    const std::string ns = "vmns";
    log::info("guest frozen",
              {{"namespace", ns}, {"name", "vm1"}, {"disks", std::size_t{3}}, {"seconds", 0.25}, {"joined", true}});
  });
  // Digits become 0, so that the whole line can be compared.
  std::string shape = line;
  for (std::size_t i = 0; i < std::min(shape.size(), shape.find("level")); ++i) {
    if (shape[i] >= '0' && shape[i] <= '9') shape[i] = '0';
  }
  CHECK(shape == R"({"time":"0000-00-00T00:00:00.000Z","level":"info","message":"guest frozen",)"
                 R"("namespace":"vmns","name":"vm1","disks":3,"seconds":0.25,"joined":true})");
}

TEST_CASE("time is UTC wherever the process runs") {
  setenv("TZ", "XYZ+5", 1);
  tzset();
  log::configure(log::Format::kJson, log::Level::kInfo);
  const std::time_t before = std::time(nullptr);
  const Json line = json_of(line_of([] { log::info("said"); }));
  unsetenv("TZ");
  tzset();

  std::tm said{};
  REQUIRE(strptime(line["time"].string().c_str(), "%Y-%m-%dT%H:%M:%S", &said) != nullptr);
  CHECK(timegm(&said) - before >= 0);
  CHECK(timegm(&said) - before < 60);
}

TEST_CASE("a JSON line without fields is complete") {
  log::configure(log::Format::kJson, log::Level::kInfo);
  const Json line = json_of(line_of([] { log::error("cannot listen"); }));
  CHECK(line["level"].string() == "error");
  CHECK(line["message"].string() == "cannot listen");
}

TEST_CASE("every line is valid JSON, whatever the values") {
  log::configure(log::Format::kJson, log::Level::kInfo);
  std::mt19937 random(1);
  std::vector<std::string> values;
  for (int i = 0; i < 500; ++i) values.push_back(test::random_bytes(random));
  const auto lines = lines_of([&values] {
    for (const std::string& value : values) log::info(value, {{value, value}, {"last", 1}});
  });
  REQUIRE(lines.size() == values.size());
  for (const std::string& line : lines) CHECK(json_of(line)["last"].integer() == 1);
}

TEST_CASE("valid text comes back unchanged") {
  log::configure(log::Format::kJson, log::Level::kInfo);
  std::mt19937 random(2);
  for (int i = 0; i < 100; ++i) {
    const std::string value = test::random_text(random);
    const Json line = json_of(line_of([&value] { log::info("said", {{"value", value}}); }));
    CHECK(line["value"].string() == value);
  }
}

TEST_CASE("a number that is not finite does not break the line") {
  log::configure(log::Format::kJson, log::Level::kInfo);
  const Json line = json_of(line_of([] {
    log::info("measured", {{"a", std::nan("")}, {"b", -std::numeric_limits<double>::infinity()}});
  }));
  CHECK(line["a"].string() == "nan");
  CHECK(line["b"].string() == "-inf");
}

TEST_CASE("what is below the level is not written") {
  log::configure(log::Format::kJson, log::Level::kWarning);
  const auto lines = lines_of([] {
    log::debug("one");
    log::info("two");
    log::warning("three");
    log::error("four");
  });
  REQUIRE(lines.size() == 2);
  CHECK(json_of(lines[0])["message"].string() == "three");
  CHECK(json_of(lines[1])["message"].string() == "four");

  log::configure(log::Format::kJson, log::Level::kDebug);
  CHECK(lines_of([] { log::debug("one"); }).size() == 1);
}

TEST_CASE("text lines are aligned, quoted where needed, and without colour in a file") {
  log::configure(log::Format::kText, log::Level::kInfo);
  const std::string line = line_of([] {
    log::warning("guest frozen", {{"name", "vm1"}, {"error", "no\nreply"}, {"empty", ""}, {"disks", 3}});
  });
  INFO(line);
  CHECK(line.substr(std::string("2026-01-31T12:00:00.000Z").size()) ==
        " warning guest frozen                         name=vm1 error=\"no\\nreply\" empty=\"\" disks=3");
}

TEST_CASE("lines of many threads do not mix") {
  log::configure(log::Format::kJson, log::Level::kInfo);
  const std::string value(5000, 'x');
  const auto lines = lines_of([&value] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&value] {
        for (int line = 0; line < 50; ++line) log::info("said", {{"value", value}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  REQUIRE(lines.size() == 200);
  for (const std::string& line : lines) CHECK(json_of(line)["value"].string() == value);
}

TEST_CASE("a trouble that repeats is said once, when it changes, and when it ends") {
  log::configure(log::Format::kJson, log::Level::kInfo);
  log::Once once("cannot list leases", "listing leases again");
  const auto lines = lines_of([&once] {
    once.succeeded();
    once.failed("refused", {{"resource", "leases"}});
    once.failed("refused", {{"resource", "leases"}});
    once.failed("forbidden");
    once.succeeded();
    once.succeeded();
    once.failed("forbidden");
  });
  REQUIRE(lines.size() == 4);
  CHECK(json_of(lines[0])["level"].string() == "warning");
  CHECK(json_of(lines[0])["message"].string() == "cannot list leases");
  CHECK(json_of(lines[0])["resource"].string() == "leases");
  CHECK(json_of(lines[0])["error"].string() == "refused");
  CHECK(json_of(lines[1])["error"].string() == "forbidden");
  CHECK(json_of(lines[2])["message"].string() == "listing leases again");
  CHECK(json_of(lines[2])["failures"].integer() == 3);
  CHECK(json_of(lines[3])["error"].string() == "forbidden");
}
