#include "edge/http.h"

#include <string_view>

namespace snapfreeze::edge {

namespace {

// The statuses that this project sends. RFC 9112 lets the phrase be empty for the rest.
std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace

HttpResponse text_response(int status, std::string text) {
  text += '\n';
  return {status, std::move(text), {{"Content-Type", "text/plain; charset=utf-8"}}};
}

std::string serialize(const HttpResponse& response, bool keep_alive) {
  std::string bytes;
  bytes.reserve(256 + response.body.size());
  bytes.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  bytes.append(reason_phrase(response.status)).append("\r\n");
  for (const auto& [name, value] : response.headers) bytes.append(name).append(": ").append(value).append("\r\n");
  bytes.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  if (!keep_alive) bytes.append("Connection: close\r\n");
  return bytes.append("\r\n").append(response.body);
}

}  // namespace snapfreeze::edge
