#include "base/time.h"

#include "test/support/catch.h"

namespace snapfreeze {
namespace {

using std::chrono::nanoseconds;

std::int64_t nanos_of(std::string_view text) {
  const auto time = parse_time(text);
  REQUIRE(time.ok());
  return std::chrono::duration_cast<nanoseconds>(time->time_since_epoch()).count();
}

TEST_CASE("Times are read with any fraction and offset") {
  CHECK(nanos_of("1970-01-01T00:00:00Z") == 0);
  CHECK(nanos_of("2026-11-23T13:17:00Z") == 1'795'439'820'000'000'000);
  CHECK(nanos_of("1970-01-01T00:00:01.5Z") == 1'500'000'000);
  CHECK(nanos_of("1970-01-01T00:00:00.123456Z") == 123'456'000);
  CHECK(nanos_of("1970-01-01T00:00:00.1234567899Z") == 123'456'789);
  CHECK(nanos_of("1970-01-01T02:00:00+02:00") == 0);
  CHECK(nanos_of("1969-12-31T23:30:00-00:30") == 0);
  CHECK(nanos_of("1969-12-31T23:59:59.5Z") == -500'000'000);
}

TEST_CASE("What is no time is refused by its text") {
  for (const char* text :
       {"", "now", "2026-11-23", "2026-11-23T13:17Z", "2026-11-23T13:17:00", "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T13:60:00Z", "2026-11-23T13:17:60Z",
        "2026-11-23T13:17:00.Z", "2026-11-23T13:17:00Zx", "2026-11-23T13:17:00+2:00", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "2026-11-23 13:17:00Z", "+026-11-23T13:17:00Z"}) {
    CAPTURE(text);
    const auto time = parse_time(text);
    REQUIRE_FALSE(time.ok());
    CHECK(time.error().code == Code::kMalformed);
    CHECK(time.error().message.find(text) != std::string::npos);
  }
}

TEST_CASE("Times are written as the API writes them") {
  CHECK(format_time(Wall(nanoseconds(1'795'439'820'999'999'999))) == "2026-11-23T13:17:00Z");
  CHECK(format_micro_time(Wall(nanoseconds(1'795'439'820'000'042'999))) == "2026-11-23T13:17:00.000042Z");
  CHECK(format_micro_time(Wall(nanoseconds(-1))) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("Go's durations are read") {
  CHECK(parse_duration("30s").value() == Millis(30'000));
  CHECK(parse_duration("1m30s").value() == Millis(90'000));
  CHECK(parse_duration("500ms").value() == Millis(500));
  CHECK(parse_duration("1h").value() == Millis(3'600'000));
  CHECK(parse_duration("1.5h").value() == Millis(5'400'000));
  CHECK(parse_duration(".5s").value() == Millis(500));
  CHECK(parse_duration("1.s").value() == Millis(1000));
  CHECK(parse_duration("0").value() == Millis(0));
  CHECK(parse_duration("0s").value() == Millis(0));
  CHECK(parse_duration("-2s").value() == Millis(-2000));
  CHECK(parse_duration("+2s").value() == Millis(2000));
  CHECK(parse_duration("1999us").value() == Millis(1));
  CHECK(parse_duration("2000\xC2\xB5s").value() == Millis(2));
}

TEST_CASE("What is no duration is refused by its text") {
  for (const char* text : {"", "30", "s", "30 s", "thirty", "1d", "-", ".s", "1m30", "3000000h",
                           "99999999999999999999s", "2562047h2562047h"}) {
    CAPTURE(text);
    const auto duration = parse_duration(text);
    REQUIRE_FALSE(duration.ok());
    CHECK(duration.error().code == Code::kMalformed);
    CHECK(duration.error().message.find(text) != std::string::npos);
  }
}

TEST_CASE("Durations are written as Go writes them") {
  CHECK(format_duration(Millis(0)) == "0s");
  CHECK(format_duration(Millis(500)) == "500ms");
  CHECK(format_duration(Millis(1500)) == "1.5s");
  CHECK(format_duration(Millis(30'000)) == "30s");
  CHECK(format_duration(Millis(90'000)) == "1m30s");
  CHECK(format_duration(Millis(3'600'000)) == "1h0m0s");
  CHECK(format_duration(Millis(-2001)) == "-2.001s");
}

}  // namespace
}  // namespace snapfreeze
