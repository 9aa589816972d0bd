#include "edge/server.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "base/thread.h"
#include "base/thread_pool.h"
#include "base/turns.h"
#include "edge/connection.h"
#include "edge/connection_table.h"
#include "edge/exchange.h"
#include "tls/listener.h"
#include "tls/wake_up.h"

namespace snapfreeze::edge {

namespace {

constexpr Millis kAcceptPause{100};

tls::Identity shown(const certs::CertSource& source) {
  auto pair = source.current();
  if (!pair) return {};
  tls::Identity identity{pair->certificate(), pair->key(), pair->chain(), nullptr};
  identity.owner = std::move(pair);
  return identity;
}

// A handshake costs some 0.3 ms of CPU, a request 0.05 ms: handshakes get half of the processors at most.
int handshakes_at_once() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

}  // namespace

Server::Server(ServerOptions options, const certs::CertSource* certificates, Handler handler)
    : options_(std::move(options)),
      certificates_(certificates),
      exchange_(std::make_unique<Exchange>(options_, std::move(handler))),
      memory_(options_.max_buffered, Connection::kAlwaysBuffered),
      handshakes_(handshakes_at_once(), options_.max_connections),
      // One more than take turns, so that the next is there when a turn ends.
      connections_(tls::connections_allowed(options_.max_connections), handshakes_at_once() + 1),
      threads_(options_.name) {}

Server::~Server() {
  stop(Millis(0));
}

Result<std::uint16_t> Server::start() {
  if (certificates_ != nullptr) {
    auto context = tls::Context::server([source = certificates_] { return shown(*source); }, options_.clients);
    if (!context) return context.error();
    context_ = std::move(*context);
  }
  auto listener = tls::listen_on(options_.address, options_.port);
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  if (wake_.fd() < 0) return Error{Code::kTransient, "too many files are open to wait on sockets"};
  accepting_ = start_thread(options_.name + "-loop", [this] { accept_all(); });
  return listener_.port;
}

void Server::wind_down() {
  exchange_->wind_down();
}

bool Server::stop(Millis drain) {
  if (!accepting_.joinable()) return all_answered_;
  const Mono deadline = Connection::now() + drain;
  stopping_ = true;
  wake_.wake();
  accepting_.join();
  listener_.socket.reset();
  exchange_->wind_down();
  connections_.close_idle();
  all_answered_ = connections_.await_answers(deadline);
  connections_.close_all();
  threads_.join();
  return all_answered_;
}

void Server::accept_all() {
  std::array<pollfd, 2> waiting{pollfd{listener_.socket.get(), POLLIN, 0}, pollfd{wake_.fd(), POLLIN, 0}};
  while (!stopping_) {
    if (poll(waiting.data(), waiting.size(), -1) <= 0 || waiting[0].revents == 0) continue;
    while (!stopping_ && accept_one()) {
    }
  }
}

bool Server::accept_one() {
  tls::Accepted accepted = accept_from(listener_);
  if (accepted.socket.get() < 0) {
    if (accepted.error == EINTR || accepted.error == ECONNABORTED) return true;
    if (accepted.error == EAGAIN || connections_.make_room()) return false;
    // Out of descriptors or memory. The listener stays ready, so without a pause this would spin.
    pollfd stopped{wake_.fd(), POLLIN, 0};
    poll(&stopped, 1, static_cast<int>(kAcceptPause.count()));
    return false;
  }
  const auto place = connections_.enter(accepted.socket.get(), Connection::now());
  if (!place) return true;  // closes it
  const auto shared = std::make_shared<tls::Accepted>(std::move(accepted));
  const auto task = [this, shared, at = *place] { serve(std::move(*shared), at); };
  // When the system has no thread to give, another connection's must do.
  if (!threads_.run(task) && !(connections_.make_room() && threads_.run(task))) connections_.leave(*place);
  return true;
}

void Server::serve(tls::Accepted accepted, ConnectionTable::Place place) {
  {
    Connection connection(std::move(accepted.socket), std::move(accepted.peer), context_ ? &*context_ : nullptr,
                          options_, memory_, connections_, place);
    try {
      auto next = connection.shake_hands(handshakes_) ? Exchange::Next::kAnotherRequest : Exchange::Next::kLost;
      while (next == Exchange::Next::kAnotherRequest && connection.await_request()) {
        next = exchange_->answer(connection);
        connection.end_request();
      }
      if (next == Exchange::Next::kEnd) connection.linger();
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory, so this one ends
    }
    connections_.forget_socket(place);
  }
  connections_.leave(place);
}

}  // namespace snapfreeze::edge
