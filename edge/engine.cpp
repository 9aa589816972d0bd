#include "edge/engine.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <utility>

#include "edge/head.h"
#include "edge/library.h"

namespace snapfreeze::edge {

namespace {

constexpr Millis kAcceptPause{100};
// What the library is given to read in place of a head that is refused, so that it writes the refusal.
constexpr std::string_view kShortestHead = "GET / HTTP/1.1\r\n\r\n";

HttpResponse overloaded(int status, const std::string& text) {
  HttpResponse response = text_response(status, text);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse too_slow() {
  return text_response(408, "the request was not complete in time");
}

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

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// The first word of "application/json; charset=utf-8".
std::string media_type(const std::string& value) {
  const std::string type = value.substr(0, value.find(';'));
  return lower_case(type.substr(0, type.find_last_not_of(" \t") + 1));
}

// "keep-alive, close", in one header or several.
bool asks_to_close(const httplib::Request& head) {
  const auto [begin, end] = head.headers.equal_range("Connection");
  return std::any_of(begin, end, [](const auto& header) {
    std::string rest = lower_case(header.second) + ",";
    for (std::size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
      const std::size_t first = rest.find_first_not_of(" \t");
      const std::string word = rest.substr(first, rest.find_last_not_of(" \t", comma - 1) + 1 - first);
      if (word == "close") return true;
      rest.erase(0, comma + 1);
    }
    return false;
  });
}

// What the whole head says of the body, and whether we take it.
std::optional<HttpResponse> refuse_body(const httplib::Request& head, const Limits& limits, std::size_t& size) {
  if (!head.has_header("Host")) return text_response(400, "the header Host is missing");
  const bool post = head.method == "POST";
  if (post && !head.has_header("Content-Length")) return text_response(411, "a POST needs a Content-Length");
  const std::string encoding = head.get_header_value("Content-Encoding");
  if (!encoding.empty() && lower_case(encoding) != "identity") {
    return text_response(415, "a body must not be compressed (Content-Encoding)");
  }
  if (post && media_type(head.get_header_value("Content-Type")) != "application/json") {
    return text_response(415, "a body must be of Content-Type application/json");
  }
  const std::string digits = head.has_header("Content-Length") ? head.get_header_value("Content-Length") : "0";
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc() || size > limits.body) {
    return text_response(413, "the body is larger than " + std::to_string(limits.body) + " bytes");
  }
  if (!post && size > 0) return text_response(400, "a GET has no body here");
  return std::nullopt;
}

}  // namespace

// One request and its reply.
struct Server::Engine::Exchange {
  Connection& connection;
  std::optional<HttpResponse> refusal;  // decided before the library has read anything
  bool keep_open = false;               // until a request has been read that may be followed by another
  bool replied = false;                 // the reply is ours, not the library's own
  bool lost = false;                    // there is nobody to reply to

  // The library's handlers are not told whose request it is; a thread serves one at a time.
  static thread_local Exchange* current;
};

thread_local Server::Engine::Exchange* Server::Engine::Exchange::current = nullptr;

Server::Engine::Engine(ServerOptions options, const certs::CertSource* certificates, edge::Handler handler)
    : options_(std::move(options)),
      certificates_(certificates),
      handler_(std::move(handler)),
      handshakes_(handshakes_at_once(), options_.max_connections),
      handlers_(options_.workers, options_.queue),
      threads_(options_.name) {
  set_pre_routing_handler([this](const httplib::Request& head, httplib::Response& response) {
    Exchange& exchange = *Exchange::current;
    fill(exchange, reply_to(exchange, head), response);
    return HandlerResponse::Handled;
  });
  // What the library refuses by itself, though it passed our own look, has no text.
  set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (Exchange::current->replied) return;
    response.body = "the head of the request cannot be read\n";
    response.set_header("Content-Length", std::to_string(response.body.size()));
  });
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) { end_headers(*Exchange::current, response); });
}

Result<std::uint16_t> Server::Engine::start() {
  if (certificates_ != nullptr) {
    auto context = tls::Context::server([source = certificates_] { return shown(*source); }, options_.clients);
    if (!context) return context.error();
    context_ = std::move(*context);
  }
  auto listener = listen_on(options_.address, options_.port);
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  wake_ = tls::FileDescriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (wake_.get() < 0) return Error{Code::kTransient, std::string("cannot wait on sockets: ") + std::strerror(errno)};
  connections_.emplace(connections_allowed(options_.max_connections), options_.max_buffered);
  accepting_ = start_thread(options_.name + "-loop", [this] { accept_all(); });
  return listener_.port;
}

bool Server::Engine::stop(Millis drain) {
  if (!accepting_.joinable()) return all_answered_;
  const Mono deadline = Connection::now() + drain;
  stopping_ = true;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then it wakes anyway.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  accepting_.join();
  listener_.socket.reset();
  winding_down_ = true;
  connections_->close_idle();
  all_answered_ = connections_->await_answers(deadline);
  connections_->close_all();
  threads_.join();
  return all_answered_;
}

void Server::Engine::accept_all() {
  std::array<pollfd, 2> waiting{pollfd{listener_.socket.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (!stopping_) {
    if (poll(waiting.data(), waiting.size(), -1) <= 0 || waiting[0].revents == 0) continue;
    while (!stopping_ && accept_one()) {
    }
  }
}

// False: there is none to accept just now.
bool Server::Engine::accept_one() {
  Accepted accepted = accept_from(listener_);
  if (accepted.socket.get() < 0) {
    if (accepted.error == EINTR || accepted.error == ECONNABORTED) return true;
    if (accepted.error == EAGAIN || connections_->make_room()) return false;
    // Out of descriptors or memory. The listener stays ready, so without a pause this would spin.
    pollfd stopped{wake_.get(), POLLIN, 0};
    poll(&stopped, 1, static_cast<int>(kAcceptPause.count()));
    return false;
  }
  const auto place = connections_->enter(accepted.socket.get(), Connection::now());
  if (!place) return true;  // closes it
  auto shared = std::make_shared<Accepted>(std::move(accepted));
  const auto task = [this, shared, at = *place] { serve(std::move(*shared), at); };
  // When the system has no thread to give, another connection's must do.
  if (!threads_.run(task) && !(connections_->make_room() && threads_.run(task))) connections_->leave(*place);
  return true;
}

void Server::Engine::serve(Accepted accepted, ConnectionTable::Place place) {
  {
    Connection connection(std::move(accepted.socket), std::move(accepted.peer), context_ ? &*context_ : nullptr,
                          options_, *connections_, place);
    try {
      converse(connection);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory, so this one ends
    }
    connections_->forget_socket(place);
  }
  connections_->leave(place);
}

void Server::Engine::converse(Connection& connection) {
  if (!connection.shake_hands(handshakes_)) return;
  while (connection.await_request()) {
    Exchange exchange{connection, std::nullopt};
    if (!answer(exchange)) return;
    if (!exchange.keep_open) return connection.linger();
    connection.end_request();
  }
}

bool Server::Engine::answer(Exchange& exchange) {
  Connection& connection = exchange.connection;
  switch (connection.read_head()) {
    case Connection::Outcome::kLost:
      return false;
    case Connection::Outcome::kTooSlow:
      exchange.refusal = too_slow();
      break;
    case Connection::Outcome::kTooLarge:
      exchange.refusal = text_response(
          431, "the request line and headers are larger than " + std::to_string(options_.limits.head) + " bytes");
      break;
    case Connection::Outcome::kDone:
      exchange.refusal = refuse_head(connection.head());
  }
  LibraryStream stream(connection, exchange.refusal ? kShortestHead : connection.head());
  Exchange::current = &exchange;
  const bool processed = read_and_reply(
      stream,
      [this](auto&&... arguments) -> decltype(this->process_request(std::forward<decltype(arguments)>(arguments)...)) {
        return process_request(std::forward<decltype(arguments)>(arguments)...);
      });
  Exchange::current = nullptr;
  return processed && !exchange.lost && stream.flush();
}

HttpResponse Server::Engine::reply_to(Exchange& exchange, const httplib::Request& head) {
  if (exchange.refusal) return *std::move(exchange.refusal);
  std::size_t size = 0;
  if (auto refusal = refuse_body(head, options_.limits, size)) return *refusal;
  switch (exchange.connection.read_body(size)) {
    case Connection::Outcome::kLost:
      exchange.lost = true;
      return {};
    case Connection::Outcome::kTooSlow:
      return too_slow();
    case Connection::Outcome::kTooLarge:
      return overloaded(503, "too many large requests at once");
    case Connection::Outcome::kDone:
      break;
  }
  exchange.keep_open = !asks_to_close(head);
  const std::size_t mark = head.target.find('?');
  return handle(exchange, {head.method, head.target.substr(0, mark),
                           mark == std::string::npos ? std::string() : head.target.substr(mark + 1),
                           exchange.connection.take_body(), exchange.connection.peer(), exchange.connection.arrival()});
}

HttpResponse Server::Engine::handle(Exchange& exchange, HttpRequest request) {
  exchange.lost = !exchange.connection.begin_handling();
  if (exchange.lost) return {};
  const Turn turn(handlers_, Connection::now() + options_.request_timeout);
  if (!turn.taken()) return overloaded(429, "too many requests are being handled");
  try {
    return handler_(request);
  } catch (const std::exception& error) {
    return text_response(500, std::string("internal error: ") + error.what());
  } catch (...) {
    return text_response(500, "internal error");
  }
}

void Server::Engine::fill(Exchange& exchange, HttpResponse reply, httplib::Response& response) {
  exchange.replied = true;
  exchange.connection.begin_reply();
  response.status = reply.status;
  response.body = std::move(reply.body);
  for (const auto& [name, value] : reply.headers) response.set_header(name, value);
}

void Server::Engine::end_headers(Exchange& exchange, httplib::Response& response) {
  exchange.keep_open = exchange.keep_open && !winding_down_;
  response.headers.erase("Keep-Alive");
  response.headers.erase("Connection");
  if (!exchange.keep_open) response.set_header("Connection", "close");
}

}  // namespace snapfreeze::edge
