// The one thread that waits on all sockets of a server, and the bounds on how many they are and what they hold.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "edge/connection.h"
#include "edge/connection_table.h"
#include "edge/listener.h"
#include "edge/server.h"
#include "edge/worker_pool.h"
#include "tls/context.h"

namespace snapfreeze::edge {

class Server::Loop {
 public:
  Loop(ServerOptions options, const certs::CertSource* certificates, Handler handler);

  Result<std::uint16_t> start();
  void wind_down() { winding_down_ = true; }
  bool stop(Millis drain);

 private:
  struct Reply {
    std::uint64_t id;
    std::string bytes;
    bool keep_open;
  };

  void run();
  void handle_events(int timeout_ms);
  void accept_some(Mono now);
  bool make_room();
  void pause_accepting(Mono now);

  // Lets `act` change the connection, then follows up on where that left it: dispatch, memory, epoll, end.
  template <class Action>
  void change(std::uint64_t id, Mono now, Action act);
  void dispatch(std::uint64_t id, Connection& connection, Mono now);
  void handle(std::uint64_t id, bool keep_open, const HttpRequest& request);
  void deliver_replies(Mono now);
  void refuse_greediest(Mono now);
  void watch(std::uint64_t id, ConnectionTable::Entry& entry);

  void expire_overdue(Mono now);
  void begin_stop();
  void wake();

  const ServerOptions options_;
  const ConnectionTimeouts timeouts_;
  const certs::CertSource* const certificates_;
  const Handler handler_;

  // The loop thread's own, once it runs.
  std::optional<tls::Context> tls_;
  Listener listener_;
  FileDescriptor epoll_;
  FileDescriptor wake_;
  int max_connections_ = 0;
  ConnectionTable connections_;
  Mono next_expiry_ = Mono::max();
  Mono accept_again_ = Mono::max();
  Mono stop_at_ = Mono::max();

  // Shared.
  std::atomic<bool> winding_down_ = false;
  std::mutex mutex_;
  std::vector<Reply> replies_;            // guarded by mutex_
  std::optional<Millis> stop_requested_;  // guarded by mutex_
  bool all_answered_ = true;              // read after the join

  std::thread thread_;
  WorkerPool workers_;  // its tasks use all of the above: destroyed first
};

}  // namespace snapfreeze::edge
