// A server that echoes, for the tests of this folder.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "certs/authority.h"
#include "certs/key_pair.h"
#include "edge/server.h"
#include "test/unit/edge/peer.h"

// Answers "<method> <path>?<query> <size of the body>".
snapfreeze::edge::HttpResponse echo(const snapfreeze::edge::HttpRequest& request);

struct Authority {
  explicit Authority(const std::string& name = "CA");
  [[nodiscard]] std::shared_ptr<const snapfreeze::certs::KeyPair> issue(const std::string& name = "webhook.svc") const;

  snapfreeze::certs::PemPair ca;
};

// A running TLS server with a certificate of `authority`.
struct TlsServer {
  explicit TlsServer(snapfreeze::edge::ServerOptions options = {}, snapfreeze::edge::Handler handler = echo);

  Authority authority;
  snapfreeze::certs::CertHolder holder;
  TlsClient client;
  snapfreeze::edge::Server server;
  std::uint16_t port = 0;

  Peer connect() { return {port, client}; }
};

struct PlainServer {
  explicit PlainServer(snapfreeze::edge::ServerOptions options = {}, snapfreeze::edge::Handler handler = echo);

  snapfreeze::edge::Server server;
  std::uint16_t port = 0;
};

// Waits until it is true, 20 s at most.
bool eventually(const std::function<bool()>& condition);

// Of the processor, that this process has used.
snapfreeze::Millis cpu_time();

// A handler that stays inside until it is let go.
class Gate {
 public:
  snapfreeze::edge::HttpResponse operator()(const snapfreeze::edge::HttpRequest& request) {
    ++inside_;
    inside_.notify_all();
    open_.wait(false);
    return echo(request);
  }
  [[nodiscard]] int inside() const { return inside_; }
  void open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  std::atomic<int> inside_ = 0;
  std::atomic<bool> open_ = false;
};
