// Longhorn's backend behind plain HTTP on loopback: HTTP/1.1, keep-alive, a thread a connection. Real time only.
#pragma once

#include <string>
#include <string_view>

#include "test/double/face/loopback.h"
#include "test/double/storage/longhorn_backend.h"

namespace cluster {

class LonghornFace {
 public:
  // Listens on 127.0.0.1; port 0 is chosen by the system. Throws std::system_error.
  LonghornFace(ThreadRuntime& runtime, LonghornBackend& backend, int port);

  [[nodiscard]] int port() const { return loopback_.port(); }
  // Closes all connections and waits for their threads.
  void stop() { loopback_.stop(); }

 private:
  void serve(int socket);
  bool exchange(int socket, const HttpRequest& request, bool keep_alive);
  bool dribble(int socket, std::string_view bytes);

  ThreadRuntime& runtime_;
  LonghornBackend& backend_;
  Loopback loopback_;  // last: its threads use the rest
};

}  // namespace cluster
