// What the library (cpp-httplib) reads from and writes to, and the one place that knows its versions apart: Debian 12
// has 0.11, Debian 13 has 0.18.
#pragma once

#include <httplib.h>

#include <string>
#include <string_view>

#include "edge/connection.h"

namespace snapfreeze::edge {

// The head of one request, which has been read as a whole, and the reply to it. A small reply goes out in one piece.
class LibraryStream final : public httplib::Stream {
 public:
  LibraryStream(Connection& connection, std::string_view head) : connection_(connection), head_(head) {}

  // What the library has written and is not yet sent. False: it cannot be sent, or something before it could not.
  bool flush();

  [[nodiscard]] bool is_readable() const override { return !head_.empty(); }
  [[nodiscard]] bool is_writable() const override { return good_; }
  ssize_t read(char* buffer, size_t size) override;
  ssize_t write(const char* bytes, size_t size) override;
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  // The library fails on one that select() cannot take, and needs it for nothing here.
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

 private:
  Connection& connection_;
  std::string_view head_;
  std::string out_;
  bool good_ = true;
};

// Calls `process`, which is httplib::Server::process_request, with the arguments of the version that is there.
template <class Process>
bool read_and_reply(LibraryStream& stream, const Process& process) {
  bool closed = false;
  // A reply is not compressed: that costs more than it saves, and 256 KiB each.
  const auto prepare = [](httplib::Request& request) { request.headers.erase("Accept-Encoding"); };
  if constexpr (requires { process(stream, false, closed, prepare); }) {
    return process(stream, false, closed, prepare);
  } else {
    return process(stream, std::string(), 0, std::string(), 0, false, closed, prepare);
  }
}

}  // namespace snapfreeze::edge
