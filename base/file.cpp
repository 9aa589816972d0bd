#include "base/file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace snapfreeze {

Result<std::string> read_file(const std::string& file) {
  constexpr std::size_t kMaxFile = 4 << 20;
  const auto failed = [&] { return Error{Code::kMalformed, file + ": cannot be read: " + std::strerror(errno)}; };
  const auto close = [](std::FILE* stream) { std::fclose(stream); };
  const std::unique_ptr<std::FILE, decltype(close)> stream(std::fopen(file.c_str(), "rbe"), close);
  if (!stream) return failed();
  std::string content;
  std::array<char, 4096> piece;
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), stream.get())) {
    content.append(piece.data(), count);
    if (content.size() > kMaxFile) return Error{Code::kMalformed, file + ": is larger than 4 MiB"};
  }
  if (std::ferror(stream.get()) != 0) return failed();
  return content;
}

}  // namespace snapfreeze
