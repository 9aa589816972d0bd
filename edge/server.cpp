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
#include "edge/exchange.h"

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

}  // namespace

Server::Server(ServerOptions options, const certs::CertSource* certificates, Handler handler)
    : certificates_(certificates), shared_(std::move(options), std::move(handler)), threads_(shared_.options.name) {}

Server::~Server() {
  stop(Millis(0));
}

Result<std::uint16_t> Server::start() {
  if (certificates_ != nullptr) {
    auto context = tls::Context::server([source = certificates_] { return shown(*source); }, shared_.options.clients);
    if (!context) return context.error();
    shared_.context = std::move(*context);
  }
  auto listener = tls::listen_on(shared_.options.address, shared_.options.port);
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  if (wake_.fd() < 0) return Error{Code::kTransient, "too many files are open to wait on sockets"};
  accepting_ = start_thread(shared_.options.name + "-loop", [this] { accept_all(); });
  return listener_.port;
}

bool Server::stop(Millis drain) {
  if (!accepting_.joinable()) return all_answered_;
  const Mono deadline = Mono::clock::now() + drain;
  stopping_ = true;
  wake_.wake();
  accepting_.join();
  listener_.socket.reset();
  wind_down();
  all_answered_ = shared_.table.end(deadline);
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
    if (accepted.error == EAGAIN || shared_.table.make_room()) return false;
    // Out of descriptors or memory. The listener stays ready, so without a pause this would spin.
    pollfd stopped{wake_.fd(), POLLIN, 0};
    poll(&stopped, 1, static_cast<int>(kAcceptPause.count()));
    return false;
  }
  const auto place = shared_.table.enter(accepted.socket.get(), Mono::clock::now());
  if (!place) return true;  // closes it
  const auto shared = std::make_shared<tls::Accepted>(std::move(accepted));
  const auto task = [this, shared, at = *place] { serve(std::move(*shared), at); };
  // When the system has no thread to give, another connection's must do.
  if (!threads_.run(task) && !(shared_.table.make_room() && threads_.run(task))) shared_.table.leave(*place);
  return true;
}

void Server::serve(tls::Accepted accepted, ConnectionTable::Place place) {
  {
    Connection connection(shared_, std::move(accepted), place);
    try {
      if (connection.shake_hands()) {
        Exchange exchange(shared_, connection);
        while (connection.await_request() && exchange.answer()) {
        }
      }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory, so this one ends
    }
    shared_.table.forget_socket(place);
  }
  shared_.table.leave(place);
}

}  // namespace snapfreeze::edge
