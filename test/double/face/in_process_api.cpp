#include "test/double/face/in_process_api.h"

#include <deque>
#include <utility>

namespace cluster {
namespace kube = snapfreeze::kube;
using snapfreeze::Code;
using snapfreeze::Error;
using snapfreeze::Result;

namespace {

std::string method_name(kube::Method method) {
  switch (method) {
    case kube::Method::kGet:
      return "GET";
    case kube::Method::kPost:
      return "POST";
    case kube::Method::kPut:
      return "PUT";
    case kube::Method::kPatch:
      return "PATCH";
    case kube::Method::kDelete:
      return "DELETE";
  }
  return "GET";
}

Error no_reply(const std::string& why) {
  return {Code::kTransient, why, 0};
}

Error refused(const Reply& reply) {
  const Code code = reply.status == 410                          ? Code::kGone
                    : reply.status == 409                        ? Code::kConflict
                    : reply.status == 404                        ? Code::kNotFound
                    : reply.status == 401 || reply.status == 403 ? Code::kForbidden
                    : reply.status == 429 || reply.status >= 500 ? Code::kTransient
                                                                 : Code::kMalformed;
  return {code, reply.body, reply.status};
}

}  // namespace

// Shared by the caller's fiber and the server's; either may end first.
struct InProcessApi::Exchange {
  Signal answered;
  bool done = false;
  Reply reply;
  Mono sent, arrives, deadline;
  Wall date;
};

HttpRequest InProcessApi::http_request(const kube::Request& request) const {
  HttpRequest http;
  http.method = method_name(request.method);
  http.set_target(request.target);
  http.body = request.body;
  if (!request.content_type.empty()) http.headers["content-type"] = request.content_type;
  http.caller = caller_;
  http.user_agent = caller_;
  return http;
}

// The server's fiber is nobody's child: it survives its caller.
std::shared_ptr<InProcessApi::Exchange> InProcessApi::send(const kube::Request& request) {
  const auto exchange = std::make_shared<Exchange>();
  Runtime& runtime = cluster_.runtime();
  exchange->sent = runtime.now();
  if (exchange->sent > request.send_by) {
    exchange->deadline = exchange->arrives = exchange->sent;
    exchange->done = exchange->reply.dropped = true;
    return exchange;
  }
  exchange->deadline = exchange->sent + request.timeout;
  const Millis there = runtime.random(network_.low, network_.high) / 2;
  const Millis back = runtime.random(network_.low, network_.high) / 2;
  runtime.spawn("api " + request.target, [&cluster = cluster_, exchange, there, back, http = http_request(request)] {
    Runtime& time = cluster.runtime();
    time.sleep_for(there);
    Reply reply = cluster.api().handle(http);
    const Lock lock = time.lock();
    exchange->reply = std::move(reply);
    exchange->arrives = time.now() + back;
    exchange->date = cluster.store().wall();
    exchange->done = true;
    time.wake(exchange->answered);
  });
  return exchange;
}

Result<kube::Response> InProcessApi::await(const std::shared_ptr<Exchange>& exchange) {
  Runtime& runtime = cluster_.runtime();
  {
    Lock lock = runtime.lock();
    if (!runtime.wait_until(lock, exchange->answered, exchange->deadline, [&] { return exchange->done; }) ||
        exchange->arrives > exchange->deadline) {
      lock.unlock();
      runtime.sleep_until(exchange->deadline);
      return no_reply("timed out");
    }
  }
  runtime.sleep_until(exchange->arrives);
  if (exchange->reply.dropped) return no_reply("the connection was closed");
  kube::Response response;
  response.status = exchange->reply.status;
  response.body = std::move(exchange->reply.body);
  response.sent = exchange->sent;
  response.date = std::chrono::floor<std::chrono::seconds>(exchange->date);
  return response;
}

Result<kube::Response> InProcessApi::call(const kube::Request& request) {
  return await(send(request));
}

std::vector<Result<kube::Response>> InProcessApi::call_all(std::span<const kube::Request> requests) {
  std::vector<std::shared_ptr<Exchange>> exchanges;
  for (const kube::Request& request : requests) exchanges.push_back(send(request));
  std::vector<Result<kube::Response>> replies;
  for (const auto& exchange : exchanges) replies.push_back(await(exchange));
  return replies;
}

// A watch between the server's fiber and the caller's.
struct InProcessApi::Pipe {
  explicit Pipe(Runtime& its_runtime) : runtime(its_runtime) {}

  // The server's side; false when the reader is gone.
  bool write(std::string_view bytes, Millis latency) {
    const Lock lock = runtime.lock();
    if (closed || bytes.empty()) return !closed;
    last_arrival = std::max(last_arrival, runtime.now() + latency);
    chunks.emplace_back(last_arrival, bytes);
    runtime.wake(changed);
    return true;
  }

  void end() {
    const Lock lock = runtime.lock();
    ended = true;
    runtime.wake(changed);
  }

  void close() {
    const Lock lock = runtime.lock();
    closed = true;
  }

  Runtime& runtime;
  Signal changed;
  bool answered = false;
  bool ended = false;   // by the server
  bool closed = false;  // by the reader
  Reply reply;
  Mono last_arrival{};
  std::deque<std::pair<Mono, std::string>> chunks;
};

Result<void> InProcessApi::stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) {
  Runtime& runtime = cluster_.runtime();
  const auto pipe = std::make_shared<Pipe>(runtime);
  struct Closer {
    Pipe& pipe;
    ~Closer() { pipe.close(); }
  } const closer{*pipe};
  const Mono deadline = runtime.now() + request.timeout;
  runtime.spawn("watch " + request.target,
                [this_network = network_, &cluster = cluster_, pipe, http = http_request(request)] {
                  Runtime& time = cluster.runtime();
                  const auto latency = [&] { return time.random(this_network.low, this_network.high) / 2; };
                  time.sleep_for(latency());
                  Reply reply = cluster.api().handle(http);
                  {
                    const Lock lock = time.lock();
                    pipe->reply = reply;
                    pipe->answered = true;
                    time.wake(pipe->changed);
                  }
                  if (reply.stream) reply.stream([&](std::string_view bytes) { return pipe->write(bytes, latency()); });
                  pipe->end();
                });
  {
    Lock lock = runtime.lock();
    if (!runtime.wait_until(lock, pipe->changed, deadline, [&] { return pipe->answered; }))
      return no_reply("timed out");
    if (pipe->reply.dropped) return no_reply("the connection was closed");
    if (pipe->reply.status != 200) return refused(pipe->reply);
  }
  return read_lines(*pipe, idle, sink);
}

Result<void> InProcessApi::read_lines(Pipe& pipe, Millis idle, const kube::LineSink& sink) {
  Runtime& runtime = cluster_.runtime();
  std::string text;
  while (true) {
    std::pair<Mono, std::string> chunk;
    {
      Lock lock = runtime.lock();
      const auto ready = [&] { return !pipe.chunks.empty() || pipe.ended; };
      if (!runtime.wait_until(lock, pipe.changed, runtime.now() + idle, ready)) return {};
      if (pipe.chunks.empty() && !text.empty()) return no_reply("the stream ended within a line");
      if (pipe.chunks.empty()) return {};
      chunk = std::move(pipe.chunks.front());
      pipe.chunks.pop_front();
    }
    runtime.sleep_until(chunk.first);
    text += chunk.second;
    std::size_t end = 0;
    while ((end = text.find('\n')) != std::string::npos) {
      if (!sink(std::string_view(text).substr(0, end))) return {};
      text.erase(0, end + 1);
    }
  }
}

}  // namespace cluster
