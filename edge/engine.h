// The server: one thread that accepts, a bounded thread for each connection, and the library (cpp-httplib) for the
// HTTP. It has the library read one head that has come as a whole, and write one reply; what waits for a peer is ours.
#pragma once

#include <httplib.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "edge/connection.h"
#include "edge/connection_table.h"
#include "edge/listener.h"
#include "edge/server.h"
#include "edge/thread_pool.h"
#include "edge/turns.h"
#include "tls/context.h"

namespace snapfreeze::edge {

class Server::Engine : private httplib::Server {
 public:
  Engine(ServerOptions options, const certs::CertSource* certificates, edge::Handler handler);
  ~Engine() override = default;

  Result<std::uint16_t> start();
  void wind_down() { winding_down_ = true; }
  bool stop(Millis drain);

 private:
  struct Exchange;

  void accept_all();
  bool accept_one();
  void serve(Accepted accepted, ConnectionTable::Place place);
  void converse(Connection& connection);
  bool answer(Exchange& exchange);
  HttpResponse reply_to(Exchange& exchange, const httplib::Request& head);
  HttpResponse handle(Exchange& exchange, HttpRequest request);
  void fill(Exchange& exchange, HttpResponse reply, httplib::Response& response);
  void end_headers(Exchange& exchange, httplib::Response& response);

  const ServerOptions options_;
  const certs::CertSource* const certificates_;
  const edge::Handler handler_;

  std::optional<tls::Context> context_;
  Listener listener_;
  tls::FileDescriptor wake_;  // readable: accept no more
  std::optional<ConnectionTable> connections_;
  Turns handshakes_;
  Turns handlers_;
  std::atomic<bool> winding_down_ = false;
  std::atomic<bool> stopping_ = false;
  bool all_answered_ = true;
  std::jthread accepting_;
  ThreadPool threads_;  // its tasks use all of the above: destroyed first
};

}  // namespace snapfreeze::edge
