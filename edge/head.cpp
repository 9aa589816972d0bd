#include "edge/head.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace snapfreeze::edge {

namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2, beside letters and digits
constexpr std::size_t kLongestLine = 8192 - 2;               // compiled into the library, of the CRLF too

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kTokenMarks.find(c) != std::string_view::npos;
  });
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<HttpResponse> refuse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_token(line.substr(0, first))) {
    return text_response(400, "the request line is not \"METHOD /path HTTP/1.1\"");
  }
  if (line.substr(last + 1) != "HTTP/1.1") return text_response(505, "only HTTP/1.1 is spoken here");
  const std::string_view method = line.substr(0, first);
  if (method != "GET" && method != "POST") {
    HttpResponse refusal = text_response(405, "only GET and POST are served");
    refusal.headers.emplace_back("Allow", "GET, POST");
    return refusal;
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const auto unclean = [](char c) { return is_control(c) || c == ' ' || c == '\t' || c == '#'; };
  const bool one_query =
      std::count(target.begin(), target.end(), '?') <= 1;  // more than the library of Debian 12 takes
  if (!target.starts_with('/') || !one_query || std::any_of(target.begin(), target.end(), unclean)) {
    return text_response(400, "the request's target is not a path that starts with \"/\"");
  }
  return std::nullopt;
}

// Those that decide where the request ends, or what it is.
constexpr std::array<std::string_view, 4> kOnce{"host", "content-length", "content-type", "content-encoding"};

using Seen = std::array<bool, kOnce.size()>;

std::optional<HttpResponse> refuse_header(std::string_view line, Seen& seen) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return text_response(400, "a header is not \"Name: value\"");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), is_control)) {
    return text_response(400, "a header's value has a control character");
  }
  const std::string name = lower_case(line.substr(0, colon));
  if (name == "transfer-encoding") {
    return text_response(411, "a body needs a Content-Length; Transfer-Encoding (chunked) is not accepted");
  }
  if (name == "expect") return text_response(417, "the header Expect is not supported: send the body at once");
  if (name == "range") return text_response(416, "the header Range is not supported: a reply is sent whole");
  const auto once = std::find(kOnce.begin(), kOnce.end(), name);
  if (once != kOnce.end() && std::exchange(seen[static_cast<std::size_t>(once - kOnce.begin())], true)) {
    return text_response(400, "the header " + name + " is given twice");
  }
  if (name == "content-length" && (value.empty() || !std::all_of(value.begin(), value.end(), is_digit))) {
    return text_response(400, "Content-Length is not a number");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> HeadEnd::find(std::string_view bytes) {
  while (true) {
    const std::size_t newline = bytes.find('\n', scanned_);
    if (newline == std::string_view::npos) {
      scanned_ = bytes.size();
      return std::nullopt;
    }
    scanned_ = newline + 1;
    const bool crlf = newline > line_ && bytes[newline - 1] == '\r';
    if (!crlf || newline == line_ + 1) return scanned_;
    line_ = scanned_;
  }
}

std::optional<HttpResponse> refuse_head(std::string_view head) {
  Seen seen{};
  for (bool first = true;; first = false) {
    const std::size_t newline = head.find('\n');
    if (newline == std::string_view::npos || newline == 0 || head[newline - 1] != '\r') {
      return text_response(400, "a line of the request's head does not end in CRLF");
    }
    const std::string_view line = head.substr(0, newline - 1);
    if (line.empty() && !first) return std::nullopt;
    if (line.size() > kLongestLine) return text_response(431, "a line of the head is larger than 8192 bytes");
    if (auto refusal = first ? refuse_request_line(line) : refuse_header(line, seen)) return refusal;
    head.remove_prefix(newline + 1);
  }
}

}  // namespace snapfreeze::edge
