// The double behind HTTPS: HTTP/1.1, keep-alive, chunked watches, a thread a connection. Real time only.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "test/double/api/http.h"
#include "test/double/face/loopback.h"
#include "test/double/face/tls.h"

namespace cluster {

class HttpsFace {
 public:
  using Handler = std::function<Reply(const HttpRequest& request)>;

  // Listens on 127.0.0.1; port 0 is chosen by the system. `users`: bearer token -> user name. A caller without token is
  // known by its user agent, one with an unknown token is refused (401). Throws std::system_error.
  HttpsFace(ThreadRuntime& runtime, SslContext context, int port, std::map<std::string, std::string> users,
            Handler handler);

  [[nodiscard]] int port() const { return loopback_.port(); }
  // Closes all connections and waits for their threads. Requests that block inside of the runtime must have been
  // killed.
  void stop() { loopback_.stop(); }

 private:
  void serve(int socket);
  bool exchange(TlsStream& stream, HttpRequest& request, bool keep_alive);
  void stream_watch(TlsStream& stream, const Reply& reply);
  bool identify(HttpRequest& request) const;

  const SslContext context_;
  const std::map<std::string, std::string> users_;
  const Handler handler_;
  Loopback loopback_;  // last: its threads use the rest
};

}  // namespace cluster
