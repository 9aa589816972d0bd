// A port of loopback with a thread for each connection. Real time only.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "test/double/runtime/runtime_threads.h"

namespace cluster {

class Loopback {
 public:
  // Listens on 127.0.0.1; port 0 is chosen by the system. `serve` is given each connection in a thread of its own, and
  // closes it, after forget(). Threads and errors carry `name`. Throws std::system_error.
  Loopback(ThreadRuntime& runtime, const std::string& name, int port, std::function<void(int socket)> serve);
  ~Loopback() { stop(); }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // The socket is about to be closed. From now on it is not shut down any more, as its number may be used again.
  void forget(int socket);
  // Closes all connections and waits for their threads. Requests that block inside of the runtime must have been
  // killed.
  void stop();

 private:
  void accept_connections();

  ThreadRuntime& runtime_;
  const std::string name_;
  const std::function<void(int socket)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  bool stopping_ = false;
  std::set<int> sockets_;
  std::vector<FiberRef> fibers_;
};

}  // namespace cluster
