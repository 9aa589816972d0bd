// The bearer token, which a kubelet rotates in its file (about hourly) long before it expires.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::kube {

// A token must fit into one line of an HTTP header.
[[nodiscard]] bool is_token(std::string_view text);
inline constexpr char kTokenExpected[] = "one line of printable characters without spaces is expected";

// Without the line break at its end. kMalformed names `file`.
Result<std::string> read_token(const std::string& file);

// Thread-safe.
class TokenSource {
 public:
  static constexpr Millis kReadAgain{5000};

  // With a file, the token is read from it, for the first time when it is first needed. Until the file can be read,
  // `token` is used.
  TokenSource(std::string token, std::string file);

  // Reads the file at most every 5 s, and keeps the last good token while it is missing, empty or half written.
  std::string token(Mono now);

 private:
  std::mutex mutex_;
  std::string token_;
  const std::string file_;
  std::optional<Mono> read_;
};

}  // namespace snapfreeze::kube
