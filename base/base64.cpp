#include "base/base64.h"

#include <cstdint>

namespace snapfreeze {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < group.size() ? static_cast<unsigned char>(group[j]) : 0);
    for (std::size_t j = 0; j < 4; ++j) text += j <= group.size() ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string decoded;
  std::uint32_t bits = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char character : text) {
    if (character == '\n' || character == '\r') continue;
    if (character == '=') {
      ++padding;
      continue;
    }
    const std::size_t value = kAlphabet.find(character);
    if (value == std::string_view::npos || padding > 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    // Of each group of four digits, all but the first complete a byte.
    switch (digits++ % 4) {
      case 1:
        decoded += static_cast<char>(bits >> 4);
        break;
      case 2:
        decoded += static_cast<char>(bits >> 2);
        break;
      case 3:
        decoded += static_cast<char>(bits);
        break;
      default:
        break;
    }
  }
  const bool whole = (digits + padding) % 4 == 0 && padding <= 2;
  return whole ? std::optional(decoded) : std::nullopt;
}

}  // namespace snapfreeze
