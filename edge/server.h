// An HTTP/1.1 server, over TLS or plain, that slow, idle, greedy and many peers cannot starve.
//
// A library (cpp-httplib) reads each head and writes each reply; what waits for a peer is ours. Each connection has a
// thread of its own, from a pool that grows with them, and their number is bounded. Each wait of it is one poll() with
// the deadline of the whole handshake, request or reply, so that a slow peer costs a thread that sleeps. The library's
// own loop is not used: it gives each connection a thread with deadlines for single reads, so that as many slow peers
// as it has threads stop it (measured: 500 peers that send a byte a second in their handshake, 64 threads: nobody was
// answered in 40 s), and it ends for good at the first accept() that fails. Connections are kept open, because a
// handshake costs 1 ms at both ends, forty times what a request does; the idle ones cost memory only.
//
// Bounds, so that memory has a ceiling:
//  - too many connections: the one that has waited longest without a request is closed, those that never had one first;
//  - too many bytes of requests: the largest unfinished one is answered 503;
//  - more requests than workers and queue hold: 429. Both carry Retry-After, which the API server honours;
//  - a handshake, a request and a reply each have a deadline as a whole, however many bytes trickle in;
//  - handshakes take half of the processors at most.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "base/budget.h"
#include "base/result.h"
#include "base/thread_pool.h"
#include "base/turns.h"
#include "certs/key_pair.h"
#include "edge/connection_table.h"
#include "edge/http.h"
#include "edge/options.h"
#include "tls/context.h"
#include "tls/listener.h"
#include "tls/wake_up.h"

namespace snapfreeze::edge {

class Exchange;

// Timers are those of real sockets, so it reads std::chrono::steady_clock itself.
class Server {
 public:
  // Without `certificates`: plain HTTP. They outlive this.
  Server(ServerOptions options, const certs::CertSource* certificates, Handler handler);
  ~Server();  // as stop(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens when it returns; the value is the port. kMalformed names the option that cannot be used.
  Result<std::uint16_t> start();

  // From now on each reply ends its connection, while new ones are still taken: clients move to another replica without
  // losing a request. Any thread.
  void wind_down();

  // Listens no more, closes idle connections, and lets requests that have begun finish for at most `drain`; then all
  // connections are closed and all threads joined. A handler that still runs is waited for: its own bound counts.
  // True when every request was answered. Once, by one thread.
  bool stop(Millis drain);

 private:
  void accept_all();
  bool accept_one();  // false: there is none just now
  void serve(tls::Accepted accepted, ConnectionTable::Place place);

  const ServerOptions options_;
  const certs::CertSource* const certificates_;
  const std::unique_ptr<Exchange> exchange_;
  Budget memory_;  // of requests
  Turns handshakes_;
  ConnectionTable connections_;
  std::optional<tls::Context> context_;
  tls::Listener listener_;
  tls::WakeUp wake_;  // accept no more
  std::atomic<bool> stopping_ = false;
  bool all_answered_ = true;
  std::jthread accepting_;
  ThreadPool threads_;  // its tasks use all of the above: destroyed first
};

}  // namespace snapfreeze::edge
