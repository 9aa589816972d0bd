#include "edge/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace snapfreeze::edge {

namespace {

using Phase = Connection::Phase;

constexpr std::uint64_t kListenerId = 0;
constexpr std::uint64_t kWakeId = 1;

// As many as there are connections by default, so that a flood cannot hide a request from one turn of the loop.
constexpr std::size_t kEventsPerTurn = 1024;
// A handshake costs some 0.2 ms of CPU, a request 0.02 ms: requests go first, and wait for 8 handshakes at most.
constexpr int kHandshakesPerTurn = 8;
constexpr int kAcceptsPerTurn = 64;
constexpr Millis kShortestSweep{50};
constexpr Millis kAcceptPause{100};
// A request up to this size is never refused for memory's sake: an admission has 3 KiB.
constexpr std::size_t kAlwaysBuffered = 20 * 1024;

Mono now_mono() {
  return std::chrono::steady_clock::now();
}

HttpResponse overloaded(int status, const std::string& text) {
  HttpResponse response = text_response(status, text);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

tls::Identity shown(const certs::CertSource& source) {
  auto pair = source.current();
  if (!pair) return {};
  tls::Identity identity{pair->certificate(), pair->key(), pair->chain(), nullptr};
  identity.owner = std::move(pair);
  return identity;
}

bool add_to_epoll(int epoll, int fd, std::uint64_t id, std::uint32_t interest) {
  epoll_event event{};
  event.events = interest;
  event.data.u64 = id;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

Server::Loop::Loop(ServerOptions options, const certs::CertSource* certificates, Handler handler)
    : options_(std::move(options)),
      timeouts_{options_.handshake_timeout, options_.request_timeout, options_.idle_timeout},
      certificates_(certificates),
      handler_(std::move(handler)),
      connections_(kWakeId),
      workers_(options_.name, options_.workers, options_.queue) {}

Result<std::uint16_t> Server::Loop::start() {
  if (certificates_ != nullptr) {
    auto tls = tls::Context::server([source = certificates_] { return shown(*source); }, options_.clients);
    if (!tls) return tls.error();
    tls_ = std::move(*tls);
  }
  auto listener = listen_on(options_.address, options_.port);
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
  wake_ = FileDescriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!add_to_epoll(epoll_.get(), listener_.socket.get(), kListenerId, EPOLLIN) ||
      !add_to_epoll(epoll_.get(), wake_.get(), kWakeId, EPOLLIN)) {
    return Error{Code::kTransient, std::string("cannot wait on sockets: ") + std::strerror(errno)};
  }
  max_connections_ = connections_allowed(options_.max_connections);
  const std::uint16_t port = listener_.port;
  thread_ = std::thread([this] { run(); });
  return port;
}

bool Server::Loop::stop(Millis drain) {
  if (!thread_.joinable()) return all_answered_;
  {
    const std::lock_guard lock(mutex_);
    stop_requested_ = drain;
  }
  wake();
  thread_.join();
  workers_.join();
  return all_answered_;
}

void Server::Loop::wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then it wakes anyway.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void Server::Loop::run() {
  become_background_thread(options_.name + "-loop");
  while (true) {
    const Mono now = now_mono();
    const Mono next = std::min({next_expiry_, accept_again_, stop_at_});
    int timeout_ms = -1;
    if (next != Mono::max()) {
      const auto left = std::chrono::ceil<Millis>(next - now).count();
      timeout_ms = static_cast<int>(std::clamp<decltype(left)>(left, 0, 60'000));
    }
    handle_events(timeout_ms);
    if (now_mono() >= next_expiry_) expire_overdue(now_mono());
    if (stop_at_ == Mono::max()) continue;
    const bool in_flight = connections_.anything_in_flight();
    if (in_flight && now_mono() < stop_at_) continue;
    all_answered_ = !in_flight;
    connections_.clear();
    return;
  }
}

void Server::Loop::handle_events(int timeout_ms) {
  std::array<epoll_event, kEventsPerTurn> events;  // NOLINT(cppcoreguidelines-pro-type-member-init): set by epoll
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  const Mono now = now_mono();

  std::array<std::uint64_t, kHandshakesPerTurn> handshakes{};
  std::size_t handshake_count = 0;
  bool accept_ready = false;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t id = events[i].data.u64;
    if (id == kListenerId) {
      accept_ready = true;
      continue;
    }
    if (id == kWakeId) {
      std::uint64_t counter = 0;
      [[maybe_unused]] const ssize_t size = ::read(wake_.get(), &counter, sizeof counter);
      continue;
    }
    ConnectionTable::Entry* entry = connections_.find(id);
    if (entry == nullptr) continue;
    switch (entry->connection->phase()) {
      case Phase::kHandshake:
        // Who is gone must not wait for a turn: the table would fill, and others be thrown out for it.
        if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0) {
          connections_.erase(id);
        } else if (handshake_count < handshakes.size()) {
          handshakes[handshake_count++] = id;
        }
        break;
      case Phase::kHandling:
        // Nothing was asked for, so it is a reset. Its descriptor would be reported again and again.
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, entry->connection->socket(), nullptr);
        entry->lost = true;
        break;
      default:
        change(id, now, [&](Connection& connection) { connection.advance(now); });
    }
  }
  deliver_replies(now_mono());
  for (std::size_t i = 0; i < handshake_count; ++i) {
    change(handshakes[i], now_mono(), [](Connection& connection) { connection.advance(now_mono()); });
  }
  if (now_mono() >= accept_again_) {
    accept_again_ = Mono::max();
    add_to_epoll(epoll_.get(), listener_.socket.get(), kListenerId, EPOLLIN);
  }
  if (accept_ready) accept_some(now_mono());
}

void Server::Loop::accept_some(Mono now) {
  for (int i = 0; i < kAcceptsPerTurn && stop_at_ == Mono::max(); ++i) {
    Accepted accepted = accept_from(listener_);
    if (accepted.socket.get() < 0) {
      const bool transient = accepted.error == EAGAIN || accepted.error == EINTR || accepted.error == ECONNABORTED;
      // Out of descriptors or memory. The listener stays ready, so without a pause this would spin.
      if (!transient && !make_room()) pause_accepting(now);
      return;
    }
    if (static_cast<int>(connections_.size()) >= max_connections_ && !make_room()) continue;
    const std::uint64_t id =
        connections_.add(std::make_unique<Connection>(std::move(accepted.socket), std::move(accepted.peer),
                                                      tls_ ? &*tls_ : nullptr, options_.limits, timeouts_, now));
    ConnectionTable::Entry& entry = *connections_.find(id);
    if (!add_to_epoll(epoll_.get(), entry.connection->socket(), id, entry.interest)) {
      connections_.erase(id);
      continue;
    }
    next_expiry_ = std::min(next_expiry_, entry.connection->deadline());
    watch(id, entry);
  }
}

bool Server::Loop::make_room() {
  const auto spared = connections_.most_dispensable();
  if (spared) connections_.erase(*spared);
  return spared.has_value();
}

void Server::Loop::pause_accepting(Mono now) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.socket.get(), nullptr);
  accept_again_ = now + kAcceptPause;
}

template <class Action>
void Server::Loop::change(std::uint64_t id, Mono now, Action act) {
  ConnectionTable::Entry* entry = connections_.find(id);
  if (entry == nullptr) return;
  Connection& connection = *entry->connection;
  act(connection);
  // A reply written at once may bring a pipelined request, and so on.
  while (connection.request_ready()) dispatch(id, connection, now);
  if (connection.phase() == Phase::kClosed) return connections_.erase(id);
  next_expiry_ = std::min(next_expiry_, connection.deadline());
  watch(id, *entry);
  if (connections_.count_memory(*entry) && connections_.memory() > options_.max_buffered) refuse_greediest(now);
}

void Server::Loop::dispatch(std::uint64_t id, Connection& connection, Mono now) {
  auto request = std::make_shared<HttpRequest>(connection.take_request());
  const bool keep_open = connection.client_keeps_open();
  if (workers_.submit([this, id, keep_open, request] { handle(id, keep_open, *request); })) return;
  const HttpResponse busy = overloaded(429, "too many requests are being handled");
  const bool stays_open = keep_open && !winding_down_;
  connection.respond(serialize(busy, stays_open), stays_open, now);
}

// On a worker.
void Server::Loop::handle(std::uint64_t id, bool keep_open, const HttpRequest& request) {
  HttpResponse response;
  try {
    response = handler_(request);
  } catch (const std::exception& error) {
    response = text_response(500, std::string("internal error: ") + error.what());
  } catch (...) {
    response = text_response(500, "internal error");
  }
  keep_open = keep_open && !winding_down_;
  std::string bytes = serialize(response, keep_open);
  {
    const std::lock_guard lock(mutex_);
    replies_.push_back({id, std::move(bytes), keep_open});
  }
  wake();
}

void Server::Loop::deliver_replies(Mono now) {
  std::vector<Reply> replies;
  std::optional<Millis> stop;
  {
    const std::lock_guard lock(mutex_);
    replies.swap(replies_);
    stop = std::exchange(stop_requested_, std::nullopt);
  }
  for (Reply& reply : replies) {
    const ConnectionTable::Entry* entry = connections_.find(reply.id);
    if (entry != nullptr && entry->lost) {
      connections_.erase(reply.id);
      continue;
    }
    change(reply.id, now,
           [&](Connection& connection) { connection.respond(std::move(reply.bytes), reply.keep_open, now); });
  }
  if (stop) {
    stop_at_ = now + *stop;
    begin_stop();
  }
}

void Server::Loop::refuse_greediest(Mono now) {
  const auto id = connections_.greediest(kAlwaysBuffered);
  if (!id) return;
  change(*id, now,
         [&](Connection& connection) { connection.refuse(overloaded(503, "too many large requests at once"), now); });
}

void Server::Loop::watch(std::uint64_t id, ConnectionTable::Entry& entry) {
  const std::uint32_t interest =
      (entry.connection->wants_read() ? EPOLLIN : 0U) | (entry.connection->wants_write() ? EPOLLOUT : 0U);
  if (interest == entry.interest || entry.lost) return;
  epoll_event event{};
  event.events = interest;
  event.data.u64 = id;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, entry.connection->socket(), &event);
  entry.interest = interest;
}

void Server::Loop::expire_overdue(Mono now) {
  for (const std::uint64_t id : connections_.overdue(now)) {
    change(id, now, [&](Connection& connection) { connection.expire(now); });
  }
  next_expiry_ = connections_.earliest_deadline();
  // Under load some deadline is always about to pass; one sweep serves many.
  if (next_expiry_ != Mono::max()) next_expiry_ = std::max(next_expiry_, now + kShortestSweep);
}

void Server::Loop::begin_stop() {
  winding_down_ = true;
  accept_again_ = Mono::max();
  listener_.socket.reset();
  for (const std::uint64_t id : connections_.idle()) connections_.erase(id);
}

}  // namespace snapfreeze::edge
