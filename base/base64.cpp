#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <iterator>
#include <limits>

namespace snapfreeze {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kMaxPadding = 2;
// OpenSSL counts in int, and writes 4 characters for 3 bytes.
constexpr std::size_t kMaxSize = std::numeric_limits<int>::max() / 2;

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* as_bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // It writes a zero behind the text, where a string has one.
  EVP_EncodeBlock(as_bytes(text), as_bytes(bytes), static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string digits;
  digits.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), [](char c) { return c != '\n' && c != '\r'; });
  const std::size_t padding = digits.size() - (digits.find_last_not_of('=') + 1);
  // OpenSSL skips spaces at both ends, and reads padding in the middle as zeros.
  const bool whole = digits.size() % 4 == 0 && padding <= kMaxPadding && digits.size() <= kMaxSize;
  if (!whole || digits.substr(0, digits.size() - padding).find_first_not_of(kDigits) != std::string::npos) {
    return std::nullopt;
  }
  std::string bytes(digits.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(as_bytes(bytes), as_bytes(digits), static_cast<int>(digits.size())) < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace snapfreeze
