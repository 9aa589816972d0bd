#include "test/sim/longhorn.h"

namespace sim {

using snapfreeze::Code;
using snapfreeze::Error;
using snapfreeze::Result;
using snapfreeze::sweeper::HttpAnswer;
using Pace = cluster::BackendReply::Pace;

// Shared by the caller's fiber and Longhorn's; either may end first.
struct Longhorn::Exchange {
  cluster::Signal answered;
  bool done = false;
  cluster::BackendReply said;
};

Result<HttpAnswer> Longhorn::post(const std::string& path_and_query, const std::string& body, Millis timeout) {
  gate_.pass();
  if (stopped_) return Error{Code::kTransient, "stopping", 0};
  cluster::Runtime& runtime = cluster_.runtime();
  cluster::HttpRequest request;
  request.method = "POST";
  request.set_target(path_and_query);
  request.body = body;
  cluster_.longhorn().note_call(request);
  const auto exchange = std::make_shared<Exchange>();
  const cluster::Mono deadline = runtime.now() + timeout;
  runtime.spawn("longhorn", [&cluster = cluster_, exchange, request] {
    cluster::BackendReply said = cluster.longhorn().answer(request);
    cluster::Runtime& time = cluster.runtime();
    if (said.pace == Pace::kHangs) return;
    if (said.pace == Pace::kDribbles) time.sleep_for(said.reply.body.size() * cluster::kDribbleEvery);
    const cluster::Lock lock = time.lock();
    exchange->said = std::move(said);
    exchange->done = true;
    time.wake(exchange->answered);
  });
  bool in_time = false;
  {
    cluster::Lock lock = runtime.lock();
    in_time = runtime.wait_until(lock, exchange->answered, deadline, [&] { return exchange->done; });
  }
  gate_.pass();
  if (!in_time) return Error{Code::kTransient, "Longhorn did not answer in time", 0};
  const cluster::BackendReply& said = exchange->said;
  if (said.pace == Pace::kCloses || said.pace == Pace::kCutShort) {
    return Error{Code::kTransient, "Longhorn closed the connection", 0};
  }
  return HttpAnswer{said.reply.status, said.reply.body};
}

}  // namespace sim
