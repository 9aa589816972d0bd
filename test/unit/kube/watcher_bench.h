// A watcher, a clock that the test moves, and a sink that writes down what it hears.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kube/watcher.h"
#include "test/support/catch.h"
#include "test/unit/kube/fake_api.h"

namespace snapfreeze::kube {

using Kind = Watcher::Step::Kind;
using Lines = std::vector<std::string>;

// Writes down what it is told, one word a call.
class RecordingSink : public WatchSink {
 public:
  void added(const Json& object) override { say("+", object["metadata"]["name"].string()); }
  void applied(const Json& object) override { say("=", object["metadata"]["name"].string()); }
  void deleted(const Json& object) override { say("-", object["metadata"]["name"].string()); }
  void relist_started() override { heard.push_back("relist"); }
  void relist_done() override { heard.push_back("done"); }
  void not_served() override { heard.push_back("not served"); }
  void trouble(const Error& error) override { say("trouble: ", error.message); }
  void recovered() override { heard.push_back("recovered"); }

  Lines take() { return std::exchange(heard, {}); }
  Lines heard;

 private:
  void say(std::string word, const std::string& what) { heard.push_back(std::move(word.append(what))); }
};

inline std::string object_of_name(const std::string& name, const std::string& version) {
  return R"({"metadata":{"name":")" + name + R"(","resourceVersion":")" + version + R"("}})";
}

inline Response page(const Lines& names, const std::string& version, const std::string& next = "") {
  std::string items;
  for (const std::string& name : names) items.append(items.empty() ? "" : ",").append(object_of_name(name, "1"));
  return reply_of(200, R"({"metadata":{"resourceVersion":")" + version + R"(","continue":")" + next +
                           R"("},"items":[)" + items + "]}");
}

inline std::string event(const std::string& type, const std::string& name, const std::string& version) {
  return R"({"type":")" + type + R"(","object":)" + object_of_name(name, version) + "}";
}

inline Error lost() {
  return {Code::kTransient, "connection lost"};
}
inline Error refused(int status) {
  return {status == 410 ? Code::kGone : Code::kTransient, "refused", status};
}

// A watcher on a clock that the test moves; jitter is 0, so that waits are the shortest possible.
struct Bench {
  explicit Bench(std::string selector = "") : watcher({"/things", std::move(selector)}, sink, [] { return 0.0; }) {}

  // Passes any wait; the time waited is in `waited`.
  Watcher::Step step() {
    Watcher::Step next = watcher.next(now);
    waited = Millis(0);
    if (next.kind == Kind::kWait) {
      waited = std::chrono::duration_cast<Millis>(next.until - now);
      now = next.until;
      next = watcher.next(now);
    }
    return next;
  }
  void list(const Result<Response>& reply) {
    REQUIRE(step().kind == Kind::kList);
    watcher.on_list(reply, now);
  }
  // One stream of 10 s; the sink's answer to the last line.
  bool watch(const Lines& lines, const Result<void>& end = {}, Millis lasting = Millis(10'000)) {
    REQUIRE(step().kind == Kind::kWatch);
    bool wanted = true;
    for (const std::string& line : lines) wanted = watcher.on_line(line);
    now += lasting;
    watcher.on_end(end, now);
    return wanted;
  }
  // A list of nothing at version 10, its words forgotten.
  void begin() {
    list(page({}, "10"));
    sink.take();
  }

  RecordingSink sink;
  Watcher watcher;
  Mono now{std::chrono::hours(1)};
  Millis waited{};
};

}  // namespace snapfreeze::kube
