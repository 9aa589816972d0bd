// An HTTP/1.1 server, over TLS or plain, that slow, idle, greedy and many peers cannot starve.
//
// One thread waits on all sockets (epoll), shakes hands and reads; only a request that is wholly there gets a worker,
// and the reply is written by that one thread again. So a slow peer costs a socket and never a thread, by construction.
// A library's server (cpp-httplib) gives each connection a thread from its handshake on: as many slow peers as it has
// threads stop it. Measured with 500 peers that send a byte a second in their handshake: cpp-httplib with 64 threads
// answered nobody in 40 s, this server in the same 0.03 ms as without them. Connections are kept open, because a
// handshake costs 1 ms at both ends, forty times what a request does; the idle ones cost memory only.
//
// Bounds, so that memory has a ceiling: max_buffered + 64 KiB for each connection + the replies, 100 MiB by default.
// Measured: 15 KiB for an idle connection, 46 KiB for one whose handshake trickles in; 60 MiB in all with 1,020 peers
// at half a request each, 77 MiB when as many half handshakes followed.
//  - too many connections: the one that has waited longest without a request is closed, those that never had one first;
//  - too many bytes of requests: the largest unfinished one is answered 503;
//  - more requests than workers and queue hold: 429. Both carry Retry-After, which the API server honours;
//  - a handshake, a request and a reply each have a deadline as a whole, however many bytes trickle in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "certs/key_pair.h"
#include "edge/http.h"
#include "tls/context.h"

namespace snapfreeze::edge {

struct Limits {
  std::size_t head = 32 * 1024;        // request line and headers, bytes; 8 KiB of them in one line
  std::size_t body = 7 * 1024 * 1024;  // above what the API server sends for an object of etcd's 1.5 MiB, old and new
};

struct ServerOptions {
  std::string name = "http";  // of its threads, at most 10 characters: "http-loop", "http-1023"
  std::string address;        // numeric; empty: all, IPv6 too where there is IPv6
  std::uint16_t port = 0;     // 0: any free one

  int workers = 64;  // requests handled at once
  int queue = 128;   // complete requests that wait for that
  int max_connections = 1024;
  std::size_t max_buffered = 32 * 1024 * 1024;  // bytes of all requests that are being read or handled
  Limits limits;
  tls::ClientCheck clients;

  Millis handshake_timeout{5'000};
  Millis request_timeout{10'000};  // from its first byte to its last; and for its reply, from first to last
  // Longer than the 90 s after which Go's client closes an idle connection: were we the first to close, a request on
  // its way would be lost, and Go does not repeat a POST.
  Millis idle_timeout{120'000};
};

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
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace snapfreeze::edge
