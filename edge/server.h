// An HTTP/1.1 server, over TLS or plain. Peers cannot starve it, be they slow, idle, greedy or many.
//
// A library (cpp-httplib) reads each head and writes each reply; the waiting for peers is ours. Each connection has a
// thread of its own, from a pool that grows with them, and their number is bounded. Each wait of that thread is one
// poll() with the deadline of the whole handshake, request or reply, so that a slow peer costs only a sleeping thread.
// The library's own loop is not used. It has deadlines for single reads only, so as many slow peers as it has threads
// stop it: with 64 threads and 500 peers that sent a byte of their handshake each second, nobody was answered in 40 s.
// It also ends for good at the first accept() that fails. Connections are kept open, because a handshake costs 1 ms at
// both ends, forty times what a request does. Idle connections cost only memory.
//
// Bounds, so that memory has a ceiling:
//  - too many connections: the one that has waited longest without a request is closed, those that never had one first;
//  - too many bytes of requests: the largest unfinished one is answered 503;
//  - more requests than workers and queue hold: 429. This and the 503 above carry Retry-After, which the API server
//    honours;
//  - a request that waited in vain for its turn: 503 without Retry-After. The API server would repeat it with a
//    time-out of which only a part is left; so its failure policy applies at once;
//  - a handshake, a request and a reply each have one deadline for the whole, however their bytes trickle in;
//  - handshakes take half of the processors at most.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "base/result.h"
#include "base/thread_pool.h"
#include "certs/key_pair.h"
#include "edge/connection.h"
#include "tls/listener.h"
#include "tls/wake_up.h"

namespace snapfreeze::edge {

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

  // From now on each reply ends its connection, while new ones are still accepted. So clients move to another replica
  // without losing a request. Any thread.
  void wind_down() { shared_.winding_down = true; }

  // Stops listening, closes idle connections, and gives requests that have begun at most `drain` to finish. Then all
  // connections are closed and all threads joined. A handler that still runs is waited for; it has a bound of its own.
  // True if every request was answered. Call it once, from one thread.
  bool stop(Millis drain);

 private:
  void accept_all();
  bool accept_one();  // false: there is none just now
  void serve(tls::Accepted accepted, ConnectionTable::Place place);

  const certs::CertSource* const certificates_;
  Shared shared_;
  tls::Listener listener_;
  tls::WakeUp wake_;  // stop accepting
  std::atomic<bool> stopping_ = false;
  bool all_answered_ = true;
  std::jthread accepting_;
  ThreadPool threads_;  // its tasks use all of the above: destroyed first
};

}  // namespace snapfreeze::edge
