#include "test/double/face/https_webhook.h"

#include <cstdlib>
#include <stdexcept>

#include "test/double/face/http1.h"

namespace cluster {
namespace {

std::string format_request(const WebhookCall& call) {
  return "POST " + call.target + " HTTP/1.1\r\nHost: " + call.server_name +
         "\r\nUser-Agent: kube-apiserver-admission\r\nContent-Length: " + std::to_string(call.body.size()) +
         "\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n" +
         call.body;
}

}  // namespace

struct HttpsWebhook::Connection {
  explicit Connection(std::unique_ptr<TlsStream> its_stream)
      : stream(std::move(its_stream)),
        reader([this](char* into, std::size_t size) { return stream->read(into, size, deadline); }) {}

  std::unique_ptr<TlsStream> stream;
  Mono deadline = kNever;
  Http1Reader reader;
};

HttpsWebhook::HttpsWebhook(std::string host, int port) : host_(std::move(host)), port_(port) {}
HttpsWebhook::~HttpsWebhook() = default;

std::unique_ptr<HttpsWebhook::Connection> HttpsWebhook::take_idle(const WebhookCall& call) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (call.ca_bundle != ca_bundle_ || call.server_name != server_name_) return nullptr;
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->stream->peer_listens()) return connection;
  }
  return nullptr;
}

std::unique_ptr<HttpsWebhook::Connection> HttpsWebhook::connect(const WebhookCall& call, std::string& error) {
  SslContext context;
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (context_ == nullptr || call.ca_bundle != ca_bundle_ || call.server_name != server_name_) {
      try {
        context_ = client_context(call.ca_bundle);
      } catch (const std::runtime_error& failure) {
        error = failure.what();
        return nullptr;
      }
      ca_bundle_ = call.ca_bundle;
      server_name_ = call.server_name;
      idle_.clear();
    }
    context = context_;
  }
  auto stream = TlsStream::connect(context, host_, port_, call.server_name, call.deadline, error);
  return stream == nullptr ? nullptr : std::make_unique<Connection>(std::move(stream));
}

WebhookReply HttpsWebhook::post(const WebhookCall& call) {
  bool untouched = false;
  if (auto kept = take_idle(call)) {
    WebhookReply reply = exchange(std::move(kept), call, untouched);
    // The server may have closed the kept connection in this instant: as Go does, once more on a new one.
    if (reply.status != 0 || !untouched || std::chrono::steady_clock::now() >= call.deadline) return reply;
  }
  std::string error;
  auto connection = connect(call, error);
  if (connection == nullptr) return {0, "", std::nullopt, error};
  return exchange(std::move(connection), call, untouched);
}

WebhookReply HttpsWebhook::exchange(std::unique_ptr<Connection> connection, const WebhookCall& call, bool& untouched) {
  connection->deadline = call.deadline;
  HttpHead head;
  WebhookReply reply;
  const bool written = connection->stream->write(format_request(call), call.deadline);
  if (!written || !connection->reader.head(head)) {
    untouched = connection->reader.untouched();
    reply.error = std::chrono::steady_clock::now() >= call.deadline ? "context deadline exceeded" : "EOF";
    return reply;
  }
  const bool close = head.headers["connection"] == "close" || head.start_line.rfind("HTTP/1.0", 0) == 0;
  std::string body;
  if (!connection->reader.body(head, close, body)) {
    reply.error = std::chrono::steady_clock::now() >= call.deadline ? "context deadline exceeded" : "unexpected EOF";
    return reply;
  }
  const std::size_t space = head.start_line.find(' ');
  reply.status = space == std::string::npos ? 0 : std::atoi(head.start_line.c_str() + space);
  reply.body = std::move(body);
  const auto retry_after = head.headers.find("retry-after");
  if (retry_after != head.headers.end()) reply.retry_after = std::atoi(retry_after->second.c_str());
  if (!close) {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (call.ca_bundle == ca_bundle_ && call.server_name == server_name_) idle_.push_back(std::move(connection));
  }
  return reply;
}

}  // namespace cluster
