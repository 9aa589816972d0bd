// Lists and lines of any content: the watcher keeps to the order that it promises, and always knows what comes next.
#include "kube/watcher.h"
#include "test/load/fuzz/fuzz.h"

using snapfreeze::Error;
using snapfreeze::Json;
using snapfreeze::Mono;
using snapfreeze::fuzz::must;
namespace kube = snapfreeze::kube;

namespace {

class Order final : public kube::WatchSink {
 public:
  void added(const Json& /*object*/) override { must(began_ && !listing_, "nothing is added while listing"); }
  void applied(const Json& /*object*/) override { must(began_, "objects are named after relist_started"); }
  void deleted(const Json& /*object*/) override { must(began_ && !listing_, "nothing is deleted while listing"); }
  void relist_started() override { began_ = listing_ = true; }
  void relist_done() override {
    must(listing_, "done after started");
    listing_ = false;
  }
  void not_served() override {}
  void trouble(const Error& error) override { must(!error.message.empty(), "a trouble has a text"); }
  void recovered() override {}

 private:
  bool began_ = false;
  bool listing_ = false;
};

}  // namespace

// Each line of the input is what the server answers next.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = snapfreeze::fuzz::text_of(data, size);
  Order order;
  kube::Watcher watcher({"/api/v1/things", ""}, order, [] { return 0.5; });
  Mono now{};
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    kube::Watcher::Step step = watcher.next(now);
    for (int waits = 0; step.kind == kube::Watcher::Step::Kind::kWait; ++waits) {
      must(waits < 4 && step.until > now, "a wait ends");
      must(step.until - now <= kube::Watcher::kNotServedWait, "a wait is short");
      now = step.until;
      step = watcher.next(now);
    }
    must(!step.request.target.empty(), "a request has a target");
    if (step.kind == kube::Watcher::Step::Kind::kList) {
      kube::Response reply;
      reply.status = 200;
      reply.body = line;
      watcher.on_list(reply, now);
    } else if (!watcher.on_line(line)) {
      watcher.on_end({}, now);
    }
  }
  return 0;
}
