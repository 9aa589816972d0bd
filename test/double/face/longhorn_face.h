// Longhorn's backend behind plain HTTP on loopback: HTTP/1.1, keep-alive, a thread a connection. Real time only.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "test/double/runtime/runtime_threads.h"
#include "test/double/storage/longhorn_backend.h"

namespace cluster {

class LonghornFace {
 public:
  // Listens on 127.0.0.1; port 0 is chosen by the system. Throws std::system_error.
  LonghornFace(ThreadRuntime& runtime, LonghornBackend& backend, int port);
  ~LonghornFace() { stop(); }

  [[nodiscard]] int port() const { return port_; }
  // Closes all connections and waits for their threads.
  void stop();

 private:
  void accept_connections();
  void serve(int socket);
  bool exchange(int socket, const HttpRequest& request, bool keep_alive);
  bool dribble(int socket, std::string_view bytes);

  ThreadRuntime& runtime_;
  LonghornBackend& backend_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  bool stopping_ = false;
  std::set<int> sockets_;
  std::vector<FiberRef> fibers_;
};

}  // namespace cluster
