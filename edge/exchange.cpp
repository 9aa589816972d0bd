#include "edge/exchange.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace snapfreeze::edge {

namespace {

constexpr std::size_t kOnePiece = 16 * 1024;  // a TLS record
// Given to the library instead of a head that is refused, so that it writes the refusal.
constexpr std::string_view kShortestHead = "GET / HTTP/1.1\r\n\r\n";

HttpResponse overloaded(int status, const std::string& text) {
  HttpResponse response = text_response(status, text);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse too_slow() {
  return text_response(408, "the request was not complete in time");
}

// What the library reads from and writes to. A small reply goes out in one piece.
class LibraryStream final : public httplib::Stream {
 public:
  LibraryStream(Connection& connection, std::string_view head) : connection_(connection), head_(head) {}

  // False: the reply cannot be sent.
  bool flush() {
    good_ = good_ && connection_.write(out_);
    out_.clear();
    return good_;
  }

  ssize_t read(char* buffer, size_t size) override {
    const std::size_t count = head_.copy(buffer, size);
    head_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, size_t size) override {
    if (out_.size() + size <= kOnePiece) {
      out_.append(bytes, size);
    } else if (!flush() || !(good_ = connection_.write({bytes, size}))) {
      return -1;
    }
    return static_cast<ssize_t>(size);
  }

  [[nodiscard]] bool is_readable() const override { return !head_.empty(); }
  [[nodiscard]] bool is_writable() const override { return good_; }
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  // The library does not need it here, and would refuse to serve a descriptor above 1,023.
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

 private:
  Connection& connection_;
  std::string_view head_;
  std::string out_;
  bool good_ = true;
};

// Calls `process`, which is httplib::Server::process_request, as the library's version has it.
template <class Process>
bool process_by_version(LibraryStream& stream, const Process& process) {
  bool closed = false;
  // Replies are not compressed: that would cost more than it saves, and 256 KiB of memory each.
  const auto prepare = [](httplib::Request& request) { request.headers.erase("Accept-Encoding"); };
  if constexpr (requires { process(stream, false, closed, prepare); }) {
    return process(stream, false, closed, prepare);
  } else {
    return process(stream, std::string(), 0, std::string(), 0, false, closed, prepare);
  }
}

}  // namespace

struct Exchange::Current {
  Connection& connection;
  Head head;
  bool keep_open = false;  // until a request has been read as a whole
  bool replied = false;    // the reply is ours, not the library's own
  bool lost = false;       // there is nobody to reply to

  // The library does not tell its handlers whose request it is. A thread serves one at a time.
  static thread_local Current* of_thread;
};

thread_local Exchange::Current* Exchange::Current::of_thread = nullptr;

Exchange::Exchange(const ServerOptions& options, edge::Handler handler)
    : options_(options), handler_(std::move(handler)), handlers_(options.workers, options.queue) {
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    Current& current = *Current::of_thread;
    HttpResponse reply = reply_to(current, request);
    current.replied = true;
    current.connection.begin_reply();
    response.status = reply.status;
    response.body = std::move(reply.body);
    for (const auto& [name, value] : reply.headers) response.set_header(name, value);
    return HandlerResponse::Handled;
  });
  // A head that passed our look but that the library refuses would get a reply without a text.
  set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (Current::of_thread->replied) return;
    response.body = "the head of the request cannot be read\n";
    response.set_header("Content-Length", std::to_string(response.body.size()));
  });
  set_post_routing_handler(
      [this](const httplib::Request&, httplib::Response& response) { end_headers(*Current::of_thread, response); });
}

Exchange::Next Exchange::answer(Connection& connection) {
  Current current{connection, {}};
  switch (connection.read_head()) {
    case Connection::Outcome::kLost:
      return Next::kLost;
    case Connection::Outcome::kTooSlow:
      current.head.refusal = too_slow();
      break;
    case Connection::Outcome::kTooLarge:
      current.head.refusal = text_response(
          431, "the request line and headers are larger than " + std::to_string(options_.limits.head) + " bytes");
      break;
    case Connection::Outcome::kDone:
      current.head = look_at(connection.head(), options_.limits);
  }
  LibraryStream stream(connection, current.head.refusal ? kShortestHead : connection.head());
  Current::of_thread = &current;
  const auto process =
      [this](auto&&... with) -> decltype(this->process_request(std::forward<decltype(with)>(with)...)) {
    return process_request(std::forward<decltype(with)>(with)...);
  };
  const bool processed = process_by_version(stream, process);
  Current::of_thread = nullptr;
  if (!processed || current.lost || !stream.flush()) return Next::kLost;
  return current.keep_open ? Next::kAnotherRequest : Next::kEnd;
}

HttpResponse Exchange::reply_to(Current& current, const httplib::Request& request) {
  if (current.head.refusal) return *std::move(current.head.refusal);
  switch (current.connection.read_body(current.head.body)) {
    case Connection::Outcome::kLost:
      current.lost = true;
      return {};
    case Connection::Outcome::kTooSlow:
      return too_slow();
    case Connection::Outcome::kTooLarge:
      return overloaded(503, "too many large requests at once");
    case Connection::Outcome::kDone:
      break;
  }
  current.keep_open = current.head.keep_open;
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  return handle(current, {request.method, request.target.substr(0, mark),
                          request.target.substr(std::min(mark + 1, request.target.size())),
                          current.connection.take_body(), current.connection.peer(), current.connection.arrival()});
}

HttpResponse Exchange::handle(Current& current, const HttpRequest& request) {
  current.lost = !current.connection.begin_handling();
  if (current.lost) return {};
  const std::unique_lock turn(handlers_, Connection::now() + options_.request_timeout);
  if (!turn) return overloaded(429, "too many requests are being handled");
  try {
    return handler_(request);
  } catch (const std::exception& error) {
    return text_response(500, std::string("internal error: ") + error.what());
  } catch (...) {
    return text_response(500, "internal error");
  }
}

void Exchange::end_headers(Current& current, httplib::Response& response) const {
  current.keep_open = current.keep_open && !winding_down_;
  response.headers.erase("Keep-Alive");
  response.headers.erase("Connection");
  if (!current.keep_open) response.set_header("Connection", "close");
}

}  // namespace snapfreeze::edge
