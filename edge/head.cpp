#include "edge/head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace snapfreeze::edge {

namespace {

using Refusal = std::optional<HttpResponse>;

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2, beside letters and digits
constexpr std::size_t kLongestLine = 8192 - 2;               // compiled into the library, with the CRLF

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

// A comma-separated list: "keep-alive, close".
bool list_contains(std::string_view list, std::string_view lower) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (lower_case(trim(list.substr(0, comma))) == lower) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

Refusal refuse_request_line(std::string_view line) {
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
  const bool one_query = std::count(target.begin(), target.end(), '?') <= 1;  // more than Debian 12's library takes
  if (!target.starts_with('/') || !one_query || std::any_of(target.begin(), target.end(), unclean)) {
    return text_response(400, "the request's target is not a path that starts with \"/\"");
  }
  return std::nullopt;
}

// The headers that decide, each given at most once.
struct Fields {
  std::optional<std::string_view> host, length, type, encoding;
};

Refusal take_header(std::string_view line, Fields& fields, Head& head) {
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
  if (name == "connection" && list_contains(value, "close")) head.keep_open = false;
  const std::array<std::pair<std::string_view, std::optional<std::string_view>*>, 4> known{
      {{"host", &fields.host},
       {"content-length", &fields.length},
       {"content-type", &fields.type},
       {"content-encoding", &fields.encoding}}};
  for (const auto& [known_name, place] : known) {
    if (name != known_name) continue;
    if (place->has_value()) return text_response(400, "the header " + name + " is given twice");
    *place = value;
  }
  return std::nullopt;
}

Refusal check(const Fields& fields, bool post, const Limits& limits, std::size_t& size) {
  if (!fields.host) return text_response(400, "the header Host is missing");
  if (post && !fields.length) return text_response(411, "a POST needs a Content-Length");
  if (fields.encoding && lower_case(*fields.encoding) != "identity") {
    return text_response(415, "a body must not be compressed (Content-Encoding)");
  }
  const std::string_view type = fields.type.value_or("");
  if (post && lower_case(trim(type.substr(0, type.find(';')))) != "application/json") {
    return text_response(415, "a body must be of Content-Type application/json");
  }
  const std::string_view digits = fields.length.value_or("0");
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return text_response(400, "Content-Length is not a number");
  }
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc() || size > limits.body) {
    return text_response(413, "the body is larger than " + std::to_string(limits.body) + " bytes");
  }
  if (!post && size > 0) return text_response(400, "a GET has no body here");
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

Head look_at(std::string_view bytes, const Limits& limits) {
  Head head;
  Fields fields;
  const bool post = bytes.starts_with("POST ");
  for (bool first = true; !head.refusal; first = false) {
    const std::size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos || newline == 0 || bytes[newline - 1] != '\r') {
      head.refusal = text_response(400, "a line of the request's head does not end in CRLF");
      break;
    }
    const std::string_view line = bytes.substr(0, newline - 1);
    bytes.remove_prefix(newline + 1);
    if (line.empty() && !first) {
      head.refusal = check(fields, post, limits, head.body);
      break;
    }
    head.refusal = line.size() > kLongestLine ? text_response(431, "a line of the head is larger than 8192 bytes")
                   : first                    ? refuse_request_line(line)
                                              : take_header(line, fields, head);
  }
  return head;
}

}  // namespace snapfreeze::edge
