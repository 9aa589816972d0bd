// Answers the requests of one connection with the library (cpp-httplib): it reads the head, once that has come as a
// whole, and writes the reply. All waiting for the peer is done by Connection. Debian 12 has version 0.11 of the
// library, Debian 13 has 0.18.
#pragma once

#include <httplib.h>

#include "edge/connection.h"
#include "edge/head.h"
#include "edge/http.h"

namespace snapfreeze::edge {

// Used by one thread.
class Exchange : private httplib::Server {
 public:
  Exchange(Shared& shared, Connection& connection);
  ~Exchange() override = default;

  // Answers the request that has begun. True: the connection may bring another one.
  bool answer();

 private:
  HttpResponse reply_to(const httplib::Request& request);
  HttpResponse handle(const HttpRequest& request);

  Shared& shared_;
  Connection& connection_;
  // Of the present request:
  Head head_;
  bool keep_open_ = false;
  bool lost_ = false;  // there is nobody to reply to
};

}  // namespace snapfreeze::edge
