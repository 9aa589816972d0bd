#include "edge/library.h"

#include <algorithm>

namespace snapfreeze::edge {

namespace {

constexpr std::size_t kOnePiece = 16 * 1024;  // a TLS record

}  // namespace

ssize_t LibraryStream::read(char* buffer, size_t size) {
  const std::size_t count = std::min(size, head_.size());
  head_.copy(buffer, count);
  head_.remove_prefix(count);
  return static_cast<ssize_t>(count);
}

ssize_t LibraryStream::write(const char* bytes, size_t size) {
  if (out_.size() + size <= kOnePiece) {
    out_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  if (!flush() || !connection_.write({bytes, size})) {
    good_ = false;
    return -1;
  }
  return static_cast<ssize_t>(size);
}

bool LibraryStream::flush() {
  good_ = good_ && connection_.write(out_);
  out_.clear();
  return good_;
}

}  // namespace snapfreeze::edge
