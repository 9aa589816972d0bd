#include "test/double/face/http1.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace cluster {
namespace {

constexpr std::size_t kMaxHead = 64 * 1024;
constexpr std::size_t kMaxBody = 16 * 1024 * 1024;
constexpr std::size_t kReadSize = 16 * 1024;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

bool Http1Reader::fill() {
  char bytes[kReadSize];
  const std::size_t count = read_(bytes, sizeof bytes);
  buffer_.append(bytes, count);
  return count != 0;
}

bool Http1Reader::head(HttpHead& head) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kMaxHead || !fill()) return false;
  }
  head = {};
  std::size_t at = buffer_.find("\r\n");
  head.start_line = buffer_.substr(0, at);
  while (at < end) {
    const std::size_t begin = at + 2;
    at = buffer_.find("\r\n", begin);
    const std::size_t colon = buffer_.find(':', begin);
    if (colon == std::string::npos || colon > at) return false;
    const std::size_t value = std::min(buffer_.find_first_not_of(' ', colon + 1), at);
    head.headers[lower(buffer_.substr(begin, colon - begin))] = buffer_.substr(value, at - value);
  }
  buffer_.erase(0, end + 4);
  return true;
}

bool Http1Reader::take(std::size_t size, std::string& into) {
  while (buffer_.size() < size) {
    if (!fill()) return false;
  }
  into.append(buffer_, 0, size);
  buffer_.erase(0, size);
  return true;
}

bool Http1Reader::take_line(std::string& line) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (buffer_.size() > kMaxHead || !fill()) return false;
  }
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return true;
}

bool Http1Reader::chunks(std::string& body) {
  while (true) {
    std::string line;
    if (!take_line(line)) return false;
    const std::size_t size = std::strtoull(line.c_str(), nullptr, 16);
    if (body.size() + size > kMaxBody || !take(size, body) || !take_line(line)) return false;
    if (size == 0) return true;
  }
}

bool Http1Reader::body(const HttpHead& head, bool until_close, std::string& body) {
  body.clear();
  const auto encoding = head.headers.find("transfer-encoding");
  if (encoding != head.headers.end() && lower(encoding->second) == "chunked") return chunks(body);
  const auto length = head.headers.find("content-length");
  if (length != head.headers.end()) {
    const std::size_t size = std::strtoull(length->second.c_str(), nullptr, 10);
    return size <= kMaxBody && take(size, body);
  }
  if (!until_close) return true;
  while (buffer_.size() < kMaxBody && fill()) {
  }
  body.swap(buffer_);
  return true;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

namespace {

std::string format_head(const Reply& reply) {
  std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  text += reason_phrase(reply.status);
  text += "\r\n";
  for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
  return text;
}

}  // namespace

std::string format_reply(const Reply& reply, bool keep_alive) {
  std::string text = format_head(reply);
  if (!keep_alive) text += "Connection: close\r\n";
  text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
  return text + reply.body;
}

std::string format_stream_head(const Reply& reply) {
  return format_head(reply) + "Transfer-Encoding: chunked\r\n\r\n";
}

std::string format_chunk(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return std::string(size).append(bytes).append("\r\n");
}

}  // namespace cluster
