// A client that can misbehave: bytes as the test wants them, over TLS or plain.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

struct ssl_ctx_st;
struct ssl_st;

struct Reply {
  int status = 0;  // 0: the connection ended without one
  std::string head;
  std::string body;

  [[nodiscard]] bool has(const std::string& text) const {
    return head.find(text) != std::string::npos || body.find(text) != std::string::npos;
  }
};

// What a client trusts and offers. Not thread-safe.
class TlsClient {
 public:
  explicit TlsClient(const std::string& ca_pem);
  [[nodiscard]] ssl_ctx_st* context() const { return context_.get(); }

 private:
  std::shared_ptr<ssl_ctx_st> context_;
};

// A blocking connection to 127.0.0.1. Every wait ends after 20 s.
class Peer {
 public:
  explicit Peer(std::uint16_t port);
  Peer(std::uint16_t port, const TlsClient& tls);  // shakes hands; see shaken()
  Peer(Peer&& other) noexcept;
  ~Peer();

  [[nodiscard]] bool connected() const { return socket_ >= 0; }
  [[nodiscard]] bool shaken() const { return shaken_; }
  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] ssl_st* session() const { return session_; }
  [[nodiscard]] std::string served_serial() const;

  bool send(std::string_view bytes);
  void send_nothing_more();  // closes the sending half of the socket
  void reset();              // closes the connection with a RST
  Reply receive();
  Reply ask(std::string_view request) { return send(request) ? receive() : Reply{}; }
  // True when the server has closed the connection, waiting for it for at most `limit`.
  bool closed_within(snapfreeze::Millis limit);

 private:
  std::optional<std::size_t> read_some(char* buffer, std::size_t size);

  int socket_ = -1;
  ssl_st* session_ = nullptr;
  bool shaken_ = false;
  std::string received_;
};

std::string post(std::string_view body, std::string_view more_headers = "");
std::string get(std::string_view path);
