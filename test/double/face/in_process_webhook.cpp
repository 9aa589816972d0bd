#include "test/double/face/in_process_webhook.h"

#include <exception>
#include <utility>

namespace cluster {
namespace {

// Shared by the API server's fiber and the webhook's; either may end first.
struct Exchange {
  explicit Exchange(Runtime& its_runtime) : runtime(its_runtime) {}
  Runtime& runtime;
  Signal ended_or_answered;
  bool ended = false;
  WebhookReply reply;
};

// Whatever ends the webhook's fiber, kill -9 before its first step included, is an end of the connection.
struct EndOfFiber {
  explicit EndOfFiber(std::shared_ptr<Exchange> its_exchange) : exchange(std::move(its_exchange)) {}
  ~EndOfFiber() {
    const Lock lock = exchange->runtime.lock();
    exchange->ended = true;
    exchange->runtime.wake(exchange->ended_or_answered);
  }
  std::shared_ptr<Exchange> exchange;
};

}  // namespace

WebhookReply InProcessWebhook::post(const WebhookCall& call) {
  Runtime& runtime = process_.runtime();
  const auto exchange = std::make_shared<Exchange>(runtime);
  auto end = std::make_shared<EndOfFiber>(exchange);
  auto run = [this, end, target = call.target, body = call.body] {
    WebhookReply reply;
    try {
      reply = handler_(target, body);
    } catch (const std::exception& error) {
      reply = {500, error.what(), std::nullopt, ""};
    }
    const Lock lock = end->exchange->runtime.lock();
    end->exchange->reply = std::move(reply);
  };
  const FiberRef fiber = process_.spawn("admission", std::move(run));
  if (fiber == nullptr) return {0, "", std::nullopt, "connection refused"};
  end.reset();
  Lock lock = runtime.lock();
  if (!runtime.wait_until(lock, exchange->ended_or_answered, call.deadline, [&] { return exchange->ended; })) {
    return {0, "", std::nullopt, "context deadline exceeded"};
  }
  if (exchange->reply.status == 0) return {0, "", std::nullopt, "EOF"};
  return exchange->reply;
}

}  // namespace cluster
