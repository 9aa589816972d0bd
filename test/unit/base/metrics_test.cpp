#include "base/metrics.h"

#include <chrono>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"

using snapfreeze::Metrics;
using namespace std::chrono_literals;

namespace {

// The value of one series as it is written in the exposition, "absent" if it is not there.
std::string sample(const Metrics& metrics, const std::string& series) {
  std::istringstream lines(metrics.exposition());
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(series + " ", 0) == 0) return line.substr(series.size() + 1);
  }
  return "absent";
}

}  // namespace

TEST_CASE("admissions are counted by decision and timed") {
  Metrics metrics;
  metrics.admitted("join", 3ms);
  metrics.admitted("join", 40ms);
  metrics.admitted("freeze", 2s);
  CHECK(sample(metrics, R"(snapfreeze_admissions_total{decision="join"})") == "2");
  CHECK(sample(metrics, R"(snapfreeze_admissions_total{decision="freeze"})") == "1");
  CHECK(sample(metrics, "snapfreeze_admission_duration_seconds_count") == "3");
  CHECK(sample(metrics, R"(snapfreeze_admission_duration_seconds_bucket{le="0.005"})") == "1");
  CHECK(sample(metrics, R"(snapfreeze_admission_duration_seconds_bucket{le="0.05"})") == "2");
}

TEST_CASE("a freeze is timed, and so is how long the guest was frozen") {
  Metrics metrics;
  metrics.froze(300ms);
  metrics.thawed(7s);
  CHECK(sample(metrics, "snapfreeze_freeze_duration_seconds_sum").substr(0, 3) == "0.3");
  CHECK(sample(metrics, R"(snapfreeze_guest_frozen_seconds_bucket{le="5"})") == "0");
  CHECK(sample(metrics, R"(snapfreeze_guest_frozen_seconds_bucket{le="8"})") == "1");
}

TEST_CASE("capture to thaw is told apart from half a millisecond on") {
  Metrics metrics;
  metrics.thaw_sent(400us);
  metrics.thaw_sent(800us);
  CHECK(sample(metrics, R"(snapfreeze_capture_to_thaw_seconds_bucket{le="0.0005"})") == "1");
  CHECK(sample(metrics, R"(snapfreeze_capture_to_thaw_seconds_bucket{le="0.001"})") == "2");
}

TEST_CASE("captures are counted by who said them first, and Longhorn's own word by when it was confirmed") {
  Metrics metrics;
  metrics.captured("longhorn-live");
  metrics.captured("longhorn-live");
  metrics.captured("content");
  metrics.confirmed(4500ms);
  CHECK(sample(metrics, R"(snapfreeze_captures_total{source="longhorn-live"})") == "2");
  CHECK(sample(metrics, R"(snapfreeze_captures_total{source="content"})") == "1");
  CHECK(sample(metrics, R"(snapfreeze_longhorn_confirmation_seconds_bucket{le="4"})") == "0");
  CHECK(sample(metrics, R"(snapfreeze_longhorn_confirmation_seconds_bucket{le="5"})") == "1");
}

TEST_CASE("calls are counted by what came of them") {
  Metrics metrics;
  metrics.api_called("get", 200);
  metrics.api_called("patch", 0);
  metrics.thaw_answered("settled");
  CHECK(sample(metrics, R"(snapfreeze_api_calls_total{code="200",verb="get"})") == "1");
  CHECK(sample(metrics, R"(snapfreeze_api_calls_total{code="none",verb="patch"})") == "1");
  CHECK(sample(metrics, R"(snapfreeze_thaw_calls_total{outcome="settled"})") == "1");
}

TEST_CASE("verdicts are counted by consistency and reason") {
  Metrics metrics;
  metrics.verdict("crash", "no sweeper");
  CHECK(sample(metrics, R"(snapfreeze_verdicts_total{consistency="crash",reason="no sweeper"})") == "1");
}

TEST_CASE("the sessions of a phase are those of the last count") {
  Metrics metrics;
  metrics.sessions("Frozen", 5);
  metrics.sessions("Frozen", 2);
  CHECK(sample(metrics, R"(snapfreeze_sessions{phase="Frozen"})") == "2");
}

TEST_CASE("rescues start at zero, so that the first one is an increase") {
  Metrics metrics;
  CHECK(sample(metrics, "snapfreeze_rescues_total") == "0");
  metrics.rescued();
  CHECK(sample(metrics, "snapfreeze_rescues_total") == "1");
}

TEST_CASE("leadership and expiry are absent until they are known") {
  Metrics metrics;
  CHECK(sample(metrics, "snapfreeze_leader") == "absent");
  CHECK(sample(metrics, "snapfreeze_certificate_expiry_timestamp_seconds") == "absent");
  CHECK(sample(metrics, "snapfreeze_ca_expiry_timestamp_seconds") == "absent");
  metrics.leading(true);
  metrics.ca_expires(snapfreeze::Wall(1'900'000'000s));
  CHECK(sample(metrics, "snapfreeze_ca_expiry_timestamp_seconds") == "1900000000");
  metrics.certificate_expires(snapfreeze::Wall(1'800'000'000s));
  CHECK(sample(metrics, "snapfreeze_leader") == "1");
  CHECK(sample(metrics, "snapfreeze_certificate_expiry_timestamp_seconds") == "1800000000");
  metrics.leading(false);
  CHECK(sample(metrics, "snapfreeze_leader") == "0");
}

TEST_CASE("every series has a help text and a type") {
  Metrics metrics;
  metrics.admitted("join", 3ms);
  const std::string text = metrics.exposition();
  CHECK(text.find("# HELP snapfreeze_admissions_total ") != std::string::npos);
  CHECK(text.find("# TYPE snapfreeze_admissions_total counter\n") != std::string::npos);
  CHECK(text.find("# TYPE snapfreeze_capture_to_thaw_seconds histogram\n") != std::string::npos);
}

TEST_CASE("a label value is escaped") {
  Metrics metrics;
  metrics.thaw_answered("a\"b\\c\nd");
  CHECK(sample(metrics, R"(snapfreeze_thaw_calls_total{outcome="a\"b\\c\nd"})") == "1");
}

TEST_CASE("counts from many threads add up") {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      for (int call = 0; call < 1000; ++call) {
        metrics.admitted("join", 1ms);
        if (call % 100 == 0) (void)metrics.exposition();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(sample(metrics, R"(snapfreeze_admissions_total{decision="join"})") == "4000");
  CHECK(sample(metrics, "snapfreeze_admission_duration_seconds_count") == "4000");
}
