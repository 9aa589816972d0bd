#include "kube/https_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <optional>
#include <utility>
#include <vector>

#include "kube/connection_pool.h"
#include "kube/http1.h"
#include "kube/lines.h"
#include "kube/observing_api.h"
#include "kube/rest.h"
#include "kube/token_source.h"
#include "tls/wake_up.h"

namespace snapfreeze::kube {
namespace {

// TLS records have at most 16 KiB.
constexpr std::size_t kReadSize = 16 << 10;

// Among calls side by side, a reply that came in time may be read late: it lies in the socket's buffer, and needs no
// wait. A server that sends without pause must not go on for ever.
constexpr Millis kLateReading{50};

// How much is read of a reply that refuses a stream.
constexpr std::size_t kMaxRefusal = 64 << 10;

// Sockets run by real time, whatever Clock the logic has.
Mono now() {
  return std::chrono::steady_clock::now();
}

Error about(const Request& request, Error error) {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  error.message = fmt::format("{} {}: {}", verb_of(request.method), path, error.message);
  return error;
}

Error not_sent(Error error) {
  error.not_sent = true;
  return error;
}

// Asked just before the first byte of a request is written. A process may have been stopped for minutes before that,
// and the facts behind its request may no longer hold.
bool too_late(const Request& request, Mono deadline) {
  return now() >= std::min(deadline, request.send_by);
}

Error sent_too_late() {
  return not_sent({Code::kTransient, "not sent: its time was over"});
}

Error timed_out(Millis limit) {
  return {Code::kTransient, fmt::format("no complete reply within {} ms", limit.count())};
}

std::string host_header(const Config& config) {
  const bool ipv6 = config.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(ipv6 ? "[{}]:{}" : "{}:{}"), config.host, config.port);
}

}  // namespace

class HttpsClient::Impl {
 public:
  Impl(const Config& config, const std::string& user_agent, tls::Context context)
      : pool_(config, std::move(context), kMaxConnections),
        path_prefix_(config.path_prefix),
        common_headers_(
            fmt::format("Host: {}\r\nUser-Agent: {}\r\nAccept: application/json\r\n", host_header(config), user_agent)),
        token_(config.token, config.token_file) {}

  Result<Response> call(const Request& request) {
    const Mono deadline = now() + request.timeout;
    return finish(request, begin(request, deadline), deadline);
  }

  std::vector<Result<Response>> call_all(std::span<const Request> requests);
  Result<void> stream(const Request& request, Millis idle, const LineSink& sink);

  void stop_streams() {
    stopping_ = true;
    stop_.wake();
  }

 private:
  // A request on its way.
  struct Exchange {
    Connection connection;
    bool kept = false;  // the connection had been used before
    Mono sent{};
    std::optional<Error> error;
  };

  Exchange begin(const Request& request, Mono deadline);
  Result<Response> finish(const Request& request, Exchange exchange, Mono deadline);
  Result<Response> receive(Exchange& exchange, const Request& request, Mono deadline, bool& any_byte);
  Result<void> follow(tls::Stream& connection, ReplyParser& reply, Millis idle, const LineSink& sink);

  std::string format(const Request& request);

  ConnectionPool pool_;
  const std::string path_prefix_;
  const std::string common_headers_;
  TokenSource token_;

  tls::WakeUp stop_;
  std::atomic<bool> stopping_ = false;
};

std::string HttpsClient::Impl::format(const Request& request) {
  std::string text =
      fmt::format("{} {}{} HTTP/1.1\r\n{}", verb_of(request.method), path_prefix_, request.target, common_headers_);
  if (const std::string token = token_.token(now()); !token.empty()) {
    text.append("Authorization: Bearer ").append(token).append("\r\n");
  }
  if (!request.content_type.empty()) text.append("Content-Type: ").append(request.content_type).append("\r\n");
  if (request.method != Method::kGet) text += fmt::format("Content-Length: {}\r\n", request.body.size());
  return text.append("\r\n").append(request.body);
}

HttpsClient::Impl::Exchange HttpsClient::Impl::begin(const Request& request, Mono deadline) {
  Exchange exchange;
  exchange.connection = pool_.take();
  exchange.kept = exchange.connection != nullptr;
  if (!exchange.kept) {
    Result<Connection> connection = pool_.connect({std::min(deadline, request.send_by)});
    if (!connection.ok()) {
      exchange.error = not_sent(connection.error());
      return exchange;
    }
    exchange.connection = std::move(connection).value();
  }
  const std::string text = format(request);
  exchange.sent = now();
  if (too_late(request, deadline)) {
    pool_.keep(std::move(exchange.connection));
    exchange.error = sent_too_late();
    return exchange;
  }
  const Result<void> written = exchange.connection->write(text, {deadline});
  if (!written.ok()) exchange.error = written.error();
  return exchange;
}

Result<Response> HttpsClient::Impl::finish(const Request& request, Exchange exchange, Mono deadline) {
  bool any_byte = false;
  Result<Response> reply = receive(exchange, request, deadline, any_byte);
  const bool lost_when_idle = !reply.ok() && exchange.kept && !any_byte && now() < deadline;
  if (lost_when_idle && request.method == Method::kGet) {
    pool_.clear();  // what else is kept is as old, or older
    exchange = begin(request, deadline);
    reply = receive(exchange, request, deadline, any_byte);
  }
  if (!reply.ok()) return about(request, reply.error());
  return reply;
}

Result<Response> HttpsClient::Impl::receive(Exchange& exchange, const Request& request, Mono deadline, bool& any_byte) {
  if (exchange.error) return *exchange.error;
  ReplyParser reply;
  std::array<char, kReadSize> buffer;
  const Mono give_up = std::max(deadline, now() + kLateReading);
  while (!reply.complete()) {
    const auto read = exchange.connection->read(buffer, {deadline});
    if (!read.ok()) return read.error();
    if (read->outcome == tls::Stream::Read::Outcome::kTimedOut) return timed_out(request.timeout);
    const bool closed = read->outcome == tls::Stream::Read::Outcome::kClosed;
    any_byte = any_byte || !closed;
    if (now() >= give_up) return timed_out(request.timeout);
    const auto taken = closed ? reply.closed() : reply.feed({buffer.data(), read->count});
    if (!taken.ok()) return taken.error();
    if (reply.body().size() > kMaxReply) {
      return Error{.code = Code::kTransient,
                   .message = fmt::format("the reply is over {} MiB", kMaxReply >> 20),
                   .http_status = reply.status(),
                   .too_large = true};
    }
  }
  if (reply.reusable()) pool_.keep(std::move(exchange.connection));
  return Response{reply.status(), std::move(reply.body()), reply.date(), exchange.sent};
}

std::vector<Result<Response>> HttpsClient::Impl::call_all(std::span<const Request> requests) {
  std::vector<Result<Response>> replies;
  replies.reserve(requests.size());
  const Mono start = now();
  // No threads: an early answer waits in its socket's buffer for its turn.
  for (std::size_t first = 0; first < requests.size(); first += kMaxConnections) {
    const auto batch = requests.subspan(first, std::min(kMaxConnections, requests.size() - first));
    std::vector<Exchange> exchanges;
    for (const Request& request : batch) exchanges.push_back(begin(request, start + request.timeout));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      replies.push_back(finish(batch[i], std::move(exchanges[i]), start + batch[i].timeout));
    }
  }
  return replies;
}

Result<void> HttpsClient::Impl::stream(const Request& request, Millis idle, const LineSink& sink) {
  const tls::WaitLimit limit{now() + request.timeout, stop_.fd()};
  auto connection = pool_.connect(limit);
  if (!connection.ok()) return about(request, connection.error());
  tls::Stream& peer = *connection.value();
  const std::string text = format(request);
  if (too_late(request, limit.deadline)) return about(request, sent_too_late());
  if (auto written = peer.write(text, limit); !written.ok()) return about(request, written.error());

  ReplyParser reply;
  std::array<char, kReadSize> buffer;
  // An error is a short answer, and is read to its end.
  while (!(reply.has_head() && (reply.status() == 200 || reply.complete()))) {
    const auto read = peer.read(buffer, limit);
    if (!read.ok()) return about(request, read.error());
    if (read->outcome == tls::Stream::Read::Outcome::kTimedOut) return about(request, timed_out(request.timeout));
    const bool closed = read->outcome == tls::Stream::Read::Outcome::kClosed;
    const auto taken = closed ? reply.closed() : reply.feed({buffer.data(), read->count});
    if (!taken.ok()) return about(request, taken.error());
    if (reply.has_head() && reply.status() != 200 && reply.body().size() > kMaxRefusal) break;
  }
  if (reply.status() != 200) return about(request, error_of(reply.status(), reply.body()));
  if (auto followed = follow(peer, reply, idle, sink); !followed.ok()) return about(request, followed.error());
  return {};
}

Result<void> HttpsClient::Impl::follow(tls::Stream& connection, ReplyParser& reply, Millis idle, const LineSink& sink) {
  Lines lines(HttpsClient::kMaxLine);
  std::array<char, kReadSize> buffer;
  for (;;) {
    const Result<bool> wanted = lines.take(reply.body(), sink);
    if (!wanted.ok()) return wanted.error();
    if (!wanted.value() || reply.complete()) return {};
    if (stopping_) return Error{Code::kCancelled, "stopped"};
    const auto read = connection.read(buffer, {now() + idle, stop_.fd()});
    if (!read.ok()) return read.error();
    if (read->outcome == tls::Stream::Read::Outcome::kTimedOut) return {};
    const bool closed = read->outcome == tls::Stream::Read::Outcome::kClosed;
    const auto taken = closed ? reply.closed() : reply.feed({buffer.data(), read->count});
    if (!taken.ok()) return taken.error();
  }
}

Result<std::unique_ptr<HttpsClient>> HttpsClient::create(const Config& config, const std::string& user_agent) {
  auto context = tls::Context::client({config.ca_pem, config.client_certificate_pem, config.client_key_pem});
  if (!context.ok()) return context.error();
  // OpenSSL writes to sockets without MSG_NOSIGNAL: a server that hangs up would end the process.
  std::signal(SIGPIPE, SIG_IGN);
  return std::unique_ptr<HttpsClient>(
      new HttpsClient(std::make_unique<Impl>(config, user_agent, std::move(context).value())));
}

HttpsClient::HttpsClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpsClient::~HttpsClient() = default;

Result<Response> HttpsClient::call(const Request& request) {
  return impl_->call(request);
}

std::vector<Result<Response>> HttpsClient::call_all(std::span<const Request> requests) {
  return impl_->call_all(requests);
}

Result<void> HttpsClient::stream(const Request& request, Millis idle, const LineSink& sink) {
  return impl_->stream(request, idle, sink);
}

void HttpsClient::stop_streams() {
  impl_->stop_streams();
}

}  // namespace snapfreeze::kube
