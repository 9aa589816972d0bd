// The settings of a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "edge/http.h"
#include "tls/context.h"

namespace snapfreeze::edge {

struct ServerOptions {
  std::string name = "http";  // of its threads, at most 10 characters: "http-loop", "http-1023"
  std::string address;        // numeric; empty: all, IPv6 too where there is IPv6
  std::uint16_t port = 0;     // 0: any free one

  int workers = 64;  // requests handled at once
  int queue = 128;   // complete requests that wait for that, at most as long as a request may take
  int max_connections = 1024;
  std::size_t max_buffered = 32 * 1024 * 1024;  // bytes of all requests that are being read or handled
  Limits limits;
  tls::ClientCheck clients;

  Millis handshake_timeout{5'000};
  Millis request_timeout{10'000};  // from its first byte to its last; and for its reply, from first to last
  // Longer than the 90 s after which Go's client closes an idle connection. If we closed first, a request on its way
  // would be lost, and Go does not repeat a POST.
  Millis idle_timeout{120'000};
};

}  // namespace snapfreeze::edge
