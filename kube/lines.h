// The lines of a watch, out of bytes that come in pieces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "kube/api.h"

namespace snapfreeze::kube {

// Splits a stream into lines.
class Lines {
 public:
  // Bytes of a line.
  explicit Lines(std::size_t longest) : longest_(longest) {}

  // false: the sink has had enough. An Error: a line is too long.
  Result<bool> take(std::string& bytes, const LineSink& sink) {
    const std::size_t scanned = rest_.size();
    rest_ += std::exchange(bytes, {});
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n', scanned); end != std::string::npos; end = rest_.find('\n', begin)) {
      if (!sink(std::string_view(rest_).substr(begin, end - begin))) return false;
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (rest_.size() > longest_) return Error{Code::kTransient, "a line of the stream is over 16 MiB"};
    return true;
  }

 private:
  const std::size_t longest_;
  std::string rest_;
};

}  // namespace snapfreeze::kube
