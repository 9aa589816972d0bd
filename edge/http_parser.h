// HTTP/1.1 requests out of bytes, in whatever pieces they come. Pure: no socket, no clock.
//
// Strict where RFC 9112 lets a server choose, because there are two kinds of clients only, Go's and curl's: lines end
// in CRLF, one Host, one Content-Length, no folded headers. Whatever would let a body escape its cap is refused before
// a byte of it is read: chunked, compressed, without a length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "edge/http.h"

namespace snapfreeze::edge {

struct ParserLimits {
  std::size_t head = 32 * 1024;        // request line and headers, bytes
  std::size_t body = 7 * 1024 * 1024;  // above what the API server sends for an object of etcd's 1.5 MiB, old and new
};

class HttpParser {
 public:
  enum class State { kNeedMore, kComplete, kRefused };

  explicit HttpParser(ParserLimits limits) : limits_(limits) {}

  // Bytes after a complete request are kept for the next one. After kRefused nothing is read any more.
  State feed(std::string_view bytes);

  // After kComplete: the request (without peer and arrival). Go on with feed(""), which looks at the bytes kept.
  HttpRequest take();
  // After kComplete, until take(): whether the client means to send another request.
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }

  // After kRefused: a 4xx or 5xx with a text that says what would be right. The connection cannot be used again.
  [[nodiscard]] const HttpResponse& refusal() const { return refusal_; }

  // Frees what was read so far. Nothing is read any more.
  void give_up();

  // Not a byte of a next request is here.
  [[nodiscard]] bool empty() const { return stage_ == Stage::kHead && buffer_.empty(); }
  // Bytes of memory held.
  [[nodiscard]] std::size_t memory() const { return buffer_.capacity() + request_.body.capacity(); }

 private:
  enum class Stage { kHead, kBody, kComplete, kRefused };
  struct Head;

  bool find_head_end();  // false: not yet, or refused
  void parse_head(std::string_view head);
  bool parse_request_line(std::string_view line);
  bool parse_field(std::string_view line, Head& head);
  void check(const Head& head);
  void take_body_bytes();
  void refuse(int status, std::string text);

  const ParserLimits limits_;
  Stage stage_ = Stage::kHead;
  std::string buffer_;          // bytes not yet understood
  std::size_t line_start_ = 0;  // in buffer_, of the line whose end has not come
  std::size_t scanned_ = 0;     // buffer_ up to here holds no end of that line
  std::size_t length_ = 0;      // Content-Length
  bool keep_alive_ = true;
  HttpRequest request_;
  HttpResponse refusal_;
};

}  // namespace snapfreeze::edge
