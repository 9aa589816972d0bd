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

}  // namespace

Exchange::Exchange(Shared& shared, Connection& connection) : shared_(shared), connection_(connection) {
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    HttpResponse reply = reply_to(request);
    connection_.begin_reply();
    response.status = reply.status;
    response.body = std::move(reply.body);
    for (const auto& [name, value] : reply.headers) response.set_header(name, value);
    return HandlerResponse::Handled;
  });
  // The library has its own idea of these.
  set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) {
    keep_open_ = keep_open_ && !shared_.winding_down;
    response.headers.erase("Keep-Alive");
    response.headers.erase("Connection");
    if (!keep_open_) response.set_header("Connection", "close");
  });
}

bool Exchange::answer() {
  keep_open_ = false;  // until the request has been read as a whole
  head_ = {};
  switch (connection_.read_head()) {
    case Connection::Outcome::kLost:
      return false;
    case Connection::Outcome::kTooSlow:
      head_.refusal = too_slow();
      break;
    case Connection::Outcome::kTooLarge:
      head_.refusal = text_response(431, "the request line and headers are larger than " +
                                             std::to_string(shared_.options.limits.head) + " bytes");
      break;
    case Connection::Outcome::kDone:
      head_ = look_at(connection_.head(), shared_.options.limits);
  }
  LibraryStream stream(connection_, head_.refusal ? kShortestHead : connection_.head());
  bool closed = false;
  // Replies are not compressed: that would cost more than it saves, and 256 KiB of memory each.
  const auto prepare = [](httplib::Request& each) { each.headers.erase("Accept-Encoding"); };
  const auto process = [&](auto& library) {
    if constexpr (requires { library.process_request(stream, false, closed, prepare); }) {
      return library.process_request(stream, false, closed, prepare);
    } else {
      return library.process_request(stream, std::string(), 0, std::string(), 0, false, closed, prepare);
    }
  };
  if (!process(*this) || lost_ || !stream.flush()) return false;
  connection_.end_request();
  if (!keep_open_) connection_.linger();
  return keep_open_;
}

HttpResponse Exchange::reply_to(const httplib::Request& request) {
  if (head_.refusal) return *std::move(head_.refusal);
  switch (connection_.read_body(head_.body)) {
    case Connection::Outcome::kLost:
      lost_ = true;
      return {};
    case Connection::Outcome::kTooSlow:
      return too_slow();
    case Connection::Outcome::kTooLarge:
      return overloaded(503, "too many large requests at once");
    case Connection::Outcome::kDone:
      break;
  }
  keep_open_ = head_.keep_open;
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  return handle({request.method, request.target.substr(0, mark),
                 request.target.substr(std::min(mark + 1, request.target.size())), connection_.take_body(),
                 connection_.peer(), connection_.arrival()});
}

HttpResponse Exchange::handle(const HttpRequest& request) {
  lost_ = !connection_.begin_handling();
  if (lost_) return {};
  const Mono deadline = Mono::clock::now() + shared_.options.request_timeout;
  const std::unique_lock turn(shared_.requests, deadline);
  if (!turn) {
    // The API server would repeat it with the same ?timeout=, of which only a part is left by now.
    if (Mono::clock::now() >= deadline) return text_response(503, "the request waited too long for its turn");
    return overloaded(429, "too many requests are being handled");
  }
  try {
    return shared_.handler(request);
  } catch (const std::exception& error) {
    return text_response(500, std::string("internal error: ") + error.what());
  } catch (...) {
    return text_response(500, "internal error");
  }
}

}  // namespace snapfreeze::edge
