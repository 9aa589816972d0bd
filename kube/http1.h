// HTTP/1.1 (RFC 9112) as a client of an API server needs it, without a socket: writes requests, reads replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::kube {

// Seconds since the epoch of "Sun, 06 Nov 1994 08:49:37 GMT", the only form of Date that servers may write.
[[nodiscard]] std::optional<Wall> parse_http_date(std::string_view text);

// Reads one reply as its bytes come, in pieces of any size. The body ends by Content-Length, with the last chunk, or
// when the connection closes. Interim replies (1xx) are skipped. Errors are kTransient: the server, or something
// between, does not speak HTTP.
class ReplyParser {
 public:
  static constexpr std::size_t kMaxHead = 64 << 10;

  Result<void> feed(std::string_view bytes);
  // The peer closed the connection: an error unless the body lasts until then, or is complete.
  Result<void> closed();

  [[nodiscard]] bool has_head() const { return state_ > State::kHead; }
  [[nodiscard]] bool complete() const { return state_ == State::kComplete; }
  [[nodiscard]] int status() const { return status_; }                       // once has_head()
  [[nodiscard]] std::optional<Wall> date() const { return date_; }           // once has_head()
  [[nodiscard]] bool reusable() const { return complete() && keep_alive_; }  // the connection, for another request
  std::string& body() { return body_; }  // what has come; a stream takes it out piece by piece

 private:
  enum class State { kHead, kLength, kChunkSize, kChunk, kChunkEnd, kTrailers, kUntilClosed, kComplete };

  Result<void> take_head(std::string_view head);
  Result<void> take_header(std::string_view name, std::string_view value);
  Result<void> take_chunk_size(std::string_view line);
  Result<void> take_line(std::string_view line);
  // Up to and with the newline, which is not returned; nullopt: more bytes must come.
  std::optional<std::string> next_line(std::string_view& bytes);

  State state_ = State::kHead;
  int status_ = 0;
  std::optional<Wall> date_;
  bool keep_alive_ = true;
  bool chunked_ = false;
  std::optional<std::uint64_t> length_;
  std::uint64_t remaining_ = 0;  // of the body, or of the chunk
  std::size_t head_size_ = 0;    // bytes of head, or of trailers
  std::string line_;             // the begin of a line
  std::string body_;
};

}  // namespace snapfreeze::kube
