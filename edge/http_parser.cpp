#include "edge/http_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace snapfreeze::edge {

namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, 5.6.2, beside letters and digits

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alphanumeric(c) || kTokenMarks.find(c) != std::string_view::npos;
  });
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

bool equal_ignoring_case(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y; });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// A comma-separated list: "keep-alive, close".
bool list_contains(std::string_view list, std::string_view lower_case) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (equal_ignoring_case(trim(list.substr(0, comma)), lower_case)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

// The header fields that matter, each at most once, but for Connection.
struct HttpParser::Head {
  std::optional<std::string_view> host;
  std::optional<std::string_view> content_length;
  std::optional<std::string_view> content_type;
  std::optional<std::string_view> content_encoding;
  std::optional<std::string_view> transfer_encoding;
  std::optional<std::string_view> expect;
};

HttpParser::State HttpParser::feed(std::string_view bytes) {
  if (stage_ == Stage::kBody && buffer_.empty()) {
    // The common case of a large body: straight to its place.
    const std::string_view part = bytes.substr(0, length_ - request_.body.size());
    request_.body.append(part);
    bytes.remove_prefix(part.size());
    if (request_.body.size() == length_) stage_ = Stage::kComplete;
  }
  if (stage_ != Stage::kRefused) buffer_.append(bytes);
  if (stage_ == Stage::kHead && find_head_end()) take_body_bytes();

  if (stage_ == Stage::kRefused) return State::kRefused;
  return stage_ == Stage::kComplete ? State::kComplete : State::kNeedMore;
}

// Looks at each byte once, however they come, so that many small pieces cost no more than one large.
bool HttpParser::find_head_end() {
  const std::size_t end = std::min(buffer_.size(), limits_.head);
  while (scanned_ < end) {
    const std::size_t newline = buffer_.find('\n', scanned_);
    if (newline >= end) break;
    if (newline == line_start_ || buffer_[newline - 1] != '\r') {
      refuse(400, "a line of the request's head does not end in CRLF");
      return false;
    }
    const bool empty_line = newline - 1 == line_start_;
    scanned_ = line_start_ = newline + 1;
    if (!empty_line) continue;

    parse_head(std::string_view(buffer_).substr(0, newline - 1));
    return stage_ != Stage::kRefused;
  }
  scanned_ = end;
  if (buffer_.size() > limits_.head) {
    refuse(431, "the request line and headers are larger than " + std::to_string(limits_.head) + " bytes");
  }
  return false;
}

void HttpParser::parse_head(std::string_view head) {
  Head fields;
  keep_alive_ = true;
  bool request_line = true;
  while (!head.empty() || request_line) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    if (!(request_line ? parse_request_line(line) : parse_field(line, fields))) return;
    request_line = false;
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
  }
  check(fields);
  if (stage_ == Stage::kRefused) return;

  buffer_.erase(0, scanned_);
  scanned_ = line_start_ = 0;
  stage_ = Stage::kBody;
}

bool HttpParser::parse_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_token(line.substr(0, first))) {
    refuse(400, "the request line is not \"METHOD /path HTTP/1.1\"");
    return false;
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (line.substr(last + 1) != "HTTP/1.1") {
    refuse(505, "only HTTP/1.1 is spoken here");
    return false;
  }
  if (method != "GET" && method != "POST") {
    refuse(405, "only GET and POST are served");
    refusal_.headers.emplace_back("Allow", "GET, POST");
    return false;
  }
  const bool clean =
      std::none_of(target.begin(), target.end(), [](char c) { return is_control(c) || c == ' ' || c == '\t'; });
  if (!target.starts_with('/') || !clean) {
    refuse(400, "the request's target is not a path that starts with \"/\"");
    return false;
  }
  const std::size_t mark = target.find('?');
  request_.method = method;
  request_.path = target.substr(0, mark);
  request_.query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  return true;
}

bool HttpParser::parse_field(std::string_view line, Head& head) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name)) {
    refuse(400, "a header is not \"Name: value\"");
    return false;
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), is_control)) {
    refuse(400, "a header's value has a control character");
    return false;
  }
  if (equal_ignoring_case(name, "connection")) {
    if (list_contains(value, "close")) keep_alive_ = false;
    return true;
  }
  const std::array<std::pair<std::string_view, std::optional<std::string_view>*>, 6> known{{
      {"host", &head.host},
      {"content-length", &head.content_length},
      {"content-type", &head.content_type},
      {"content-encoding", &head.content_encoding},
      {"transfer-encoding", &head.transfer_encoding},
      {"expect", &head.expect},
  }};
  for (const auto& [known_name, place] : known) {
    if (!equal_ignoring_case(name, known_name)) continue;
    // Two readers that pick different ones is how requests are smuggled.
    if (place->has_value()) {
      refuse(400, "the header " + std::string(known_name) + " is given twice");
      return false;
    }
    *place = value;
  }
  return true;
}

void HttpParser::check(const Head& head) {
  if (!head.host) return refuse(400, "the header Host is missing");
  if (head.transfer_encoding) {
    return refuse(411, "a body needs a Content-Length; Transfer-Encoding (chunked) is not accepted");
  }
  if (head.expect) return refuse(417, "the header Expect is not supported: send the body at once");
  const bool post = request_.method == "POST";
  if (post && !head.content_length) return refuse(411, "a POST needs a Content-Length");
  if (head.content_encoding && !equal_ignoring_case(*head.content_encoding, "identity")) {
    return refuse(415, "a body must not be compressed (Content-Encoding)");
  }
  const std::string_view type = head.content_type.value_or("");
  if (post && !equal_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json")) {
    return refuse(415, "a body must be of Content-Type application/json");
  }

  const std::string_view digits = head.content_length.value_or("0");
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length_);
  const bool number =
      !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!number) return refuse(400, "Content-Length is not a number");
  if (error != std::errc() || length_ > limits_.body) {
    return refuse(413, "the body is larger than " + std::to_string(limits_.body) + " bytes");
  }
  if (!post && length_ > 0) return refuse(400, "a GET has no body here");
}

void HttpParser::take_body_bytes() {
  const std::size_t size = std::min(length_, buffer_.size());
  request_.body.assign(buffer_, 0, size);
  buffer_.erase(0, size);
  if (size == length_) stage_ = Stage::kComplete;
}

HttpRequest HttpParser::take() {
  stage_ = Stage::kHead;
  if (buffer_.empty()) buffer_.shrink_to_fit();  // an idle connection holds no memory
  return std::exchange(request_, {});
}

void HttpParser::refuse(int status, std::string text) {
  refusal_ = text_response(status, std::move(text));
  give_up();
}

void HttpParser::give_up() {
  stage_ = Stage::kRefused;
  // Assigning an empty string would keep the memory.
  std::string().swap(buffer_);
  std::string().swap(request_.body);
}

}  // namespace snapfreeze::edge
