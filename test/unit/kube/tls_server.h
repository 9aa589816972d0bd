// A TLS server of the test's own, that behaves as badly as the test wants. One thread for each connection.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "certs/authority.h"

struct ssl_st;
struct ssl_ctx_st;

namespace snapfreeze::kube {

// One connection of a client, given to the handler; closed when it returns.
class Peer {
 public:
  Peer(int fd, ssl_st* ssl) : fd_(fd), ssl_(ssl) {}

  std::string read_request();  // head and body; "" when the client has closed the connection
  bool write(std::string_view bytes);
  void wait_for_close();  // until the client closes
  void hang();            // the same, without reading what comes
  void die();             // the TCP connection breaks, without a word in TLS
  [[nodiscard]] bool has_certificate() const;

 private:
  int fd_;
  ssl_st* ssl_;
};

struct TlsServerOptions {
  certs::PemPair serving;
  bool old_tls = false;        // offers nothing newer than TLS 1.1
  bool no_handshake = false;   // accepts, and says nothing
  std::string client_ca = {};  // PEM: asks for a client certificate
};

class TlsServer {
 public:
  using Handler = std::function<void(Peer&)>;

  TlsServer(const TlsServerOptions& options, Handler handler);
  ~TlsServer();

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }  // so far
  void wait_until_all_closed();

 private:
  void accept_all();
  void serve(int fd);

  const bool no_handshake_;
  const Handler handler_;
  ssl_ctx_st* context_;
  int listener_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Listens on loopback, but no connection is ever completed.
class DeafListener {
 public:
  DeafListener();
  ~DeafListener();
  [[nodiscard]] int port() const { return port_; }

 private:
  int port_ = 0;
  std::vector<int> sockets_;
};

// "HTTP/1.1 200 OK" with this body and a Content-Length.
std::string http_reply(std::string_view body, int status = 200, std::string_view headers = {});

// One chunk of a chunked body.
std::string chunk(std::string_view bytes);

}  // namespace snapfreeze::kube
