// Answers one request with the library (cpp-httplib): it reads the head, once that has come as a whole, and writes the
// reply. All waiting for the peer is done by Connection. Debian 12 has version 0.11 of the library, Debian 13 has 0.18.
#pragma once

#include <httplib.h>

#include <atomic>

#include "base/turns.h"
#include "edge/connection.h"
#include "edge/head.h"
#include "edge/http.h"
#include "edge/options.h"

namespace snapfreeze::edge {

// Thread-safe. The options outlive it.
class Exchange : private httplib::Server {
 public:
  enum class Next { kLost, kEnd, kAnotherRequest };

  Exchange(const ServerOptions& options, edge::Handler handler);
  ~Exchange() override = default;

  // Answers the request that has begun. Afterwards the connection is lost, has to be ended, or may bring another one.
  Next answer(Connection& connection);

  // From now on each reply ends its connection.
  void wind_down() { winding_down_ = true; }

 private:
  struct Current;

  HttpResponse reply_to(Current& current, const httplib::Request& request);
  HttpResponse handle(Current& current, const HttpRequest& request);
  void end_headers(Current& current, httplib::Response& response) const;

  const ServerOptions& options_;
  const edge::Handler handler_;
  Turns handlers_;
  std::atomic<bool> winding_down_ = false;
};

}  // namespace snapfreeze::edge
