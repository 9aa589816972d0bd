// HTTP/1.1 messages on a byte stream, read and written.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "test/double/api/http.h"

namespace cluster {

struct HttpHead {
  std::string start_line;
  std::map<std::string, std::string> headers;  // names in lower case
};

class Http1Reader {
 public:
  // Up to `size` bytes; 0 at the end of the stream, or when it failed.
  using Read = std::function<std::size_t(char* into, std::size_t size)>;
  explicit Http1Reader(Read read) : read_(std::move(read)) {}

  // False: the stream ended before a whole head, or it is none.
  bool head(HttpHead& head);
  // With Content-Length, chunked, or none: then empty, or for `until_close` all that comes. False: cut short.
  bool body(const HttpHead& head, bool until_close, std::string& body);
  // Has anything been read since the last message?
  [[nodiscard]] bool untouched() const { return buffer_.empty(); }

 private:
  bool fill();
  bool take_line(std::string& line);
  bool take(std::size_t size, std::string& into);
  bool chunks(std::string& body);

  Read read_;
  std::string buffer_;
};

std::string_view reason_phrase(int status);
// Status line, headers, Content-Length, body. `keep_alive` false adds "Connection: close".
std::string format_reply(const Reply& reply, bool keep_alive);
std::string format_stream_head(const Reply& reply);
std::string format_chunk(std::string_view bytes);

}  // namespace cluster
