#include "edge/head.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "base/http_text.h"
#include "base/number.h"

namespace snapfreeze::edge {

namespace {

using Refusal = std::optional<HttpResponse>;

constexpr std::size_t kLongestLine = 8192 - 2;  // compiled into the library, with the CRLF

Refusal refuse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_http_token(line.substr(0, first))) {
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
  const auto unclean = [](char c) { return is_http_control(c) || c == ' ' || c == '\t' || c == '#'; };
  const bool one_query = std::count(target.begin(), target.end(), '?') <= 1;  // more than Debian 12's library takes
  if (!target.starts_with('/') || !one_query || std::any_of(target.begin(), target.end(), unclean)) {
    return text_response(400, "the request's target is not a path that starts with \"/\"");
  }
  return std::nullopt;
}

// The headers that decide, each given at most once, by their names in lower case.
using Fields = std::map<std::string, std::string_view>;
constexpr std::array<std::string_view, 4> kDeciding{"content-encoding", "content-length", "content-type", "host"};

Refusal take_header(std::string_view line, Fields& fields, Head& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_http_token(line.substr(0, colon))) {
    return text_response(400, "a header is not \"Name: value\"");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), is_http_control)) {
    return text_response(400, "a header's value has a control character");
  }
  const std::string name = lower_case(line.substr(0, colon));
  if (name == "transfer-encoding") {
    return text_response(411, "a body needs a Content-Length; Transfer-Encoding (chunked) is not accepted");
  }
  if (name == "expect") return text_response(417, "the header Expect is not supported: send the body at once");
  if (name == "range") return text_response(416, "the header Range is not supported: a reply is sent whole");
  if (name == "connection" && list_contains(value, "close")) head.keep_open = false;
  const bool decides = std::ranges::count(kDeciding, name) > 0;
  if (decides && !fields.emplace(name, value).second) {
    return text_response(400, "the header " + name + " is given twice");
  }
  return std::nullopt;
}

Refusal check(const Fields& fields, bool post, const Limits& limits, std::size_t& size) {
  const auto value_of = [&](const char* name, std::string_view otherwise) {
    const auto field = fields.find(name);
    return field == fields.end() ? otherwise : field->second;
  };
  if (!fields.contains("host")) return text_response(400, "the header Host is missing");
  if (post && !fields.contains("content-length")) return text_response(411, "a POST needs a Content-Length");
  if (!equals_ignoring_case(value_of("content-encoding", "identity"), "identity")) {
    return text_response(415, "a body must not be compressed (Content-Encoding)");
  }
  const std::string_view type = value_of("content-type", "");
  if (post && !equals_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json")) {
    return text_response(415, "a body must be of Content-Type application/json");
  }
  const std::string_view digits = value_of("content-length", "0");
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return text_response(400, "Content-Length is not a number");
  }
  const auto length = whole_number<std::size_t>(digits);
  if (!length || *length > limits.body) {
    return text_response(413, "the body is larger than " + std::to_string(limits.body) + " bytes");
  }
  size = *length;
  if (!post && size > 0) return text_response(400, "a GET has no body here");
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> end_of_head(std::string_view bytes, std::size_t seen) {
  for (auto newline = bytes.find('\n', seen); newline != std::string_view::npos;
       newline = bytes.find('\n', newline + 1)) {
    const std::string_view before = bytes.substr(0, newline);
    if (!before.ends_with('\r') || before == "\r" || before.ends_with("\n\r")) return newline + 1;
  }
  return std::nullopt;
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
