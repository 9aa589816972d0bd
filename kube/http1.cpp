#include "kube/http1.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/http_text.h"
#include "base/number.h"

namespace snapfreeze::kube {
namespace {

Error not_http(std::string what) {
  return {Code::kTransient, "the reply is not HTTP/1.1: " + std::move(what)};
}

}  // namespace

std::optional<Wall> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = whole_number<unsigned>(text.substr(5, 2));
  const auto year = whole_number<int>(text.substr(12, 4));
  const auto hour = whole_number<int>(text.substr(17, 2));
  const auto minute = whole_number<int>(text.substr(20, 2));
  const auto second = whole_number<int>(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin() + 1)),
                                         std::chrono::day(*day)};
  // A Wall holds the years 1678 to 2261.
  if (!date.ok() || *year < 1970 || *year > 2200 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Wall(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

Result<void> ReplyParser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::kLength:
      case State::kChunk: {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size()));
        body_.append(bytes.substr(0, count));
        bytes.remove_prefix(count);
        remaining_ -= count;
        if (remaining_ == 0) state_ = state_ == State::kLength ? State::kComplete : State::kChunkEnd;
        break;
      }
      case State::kUntilClosed:
        body_.append(bytes);
        return {};
      case State::kComplete:
        keep_alive_ = false;  // nothing was asked for that these bytes could answer
        return {};
      default: {
        const auto line = next_line(bytes);
        if (line) {
          if (auto taken = take_line(*line); !taken.ok()) return taken;
        }
        if (head_size_ > kMaxHead) return not_http("its head is longer than 64 KiB");
      }
    }
  }
  return {};
}

std::optional<std::string> ReplyParser::next_line(std::string_view& bytes) {
  const std::size_t newline = bytes.find('\n');
  const std::size_t taken = newline == std::string_view::npos ? bytes.size() : newline + 1;
  head_size_ += taken;
  line_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  if (newline == std::string_view::npos) return std::nullopt;
  line_.pop_back();
  if (line_.ends_with('\r')) line_.pop_back();
  return std::exchange(line_, {});
}

Result<void> ReplyParser::take_line(std::string_view line) {
  switch (state_) {
    case State::kHead:
      return take_head(line);
    case State::kChunkSize:
      return take_chunk_size(line);
    case State::kChunkEnd:
      if (!line.empty()) return not_http("a chunk is longer than it says");
      state_ = State::kChunkSize;
      return {};
    default:  // kTrailers
      if (line.empty()) state_ = State::kComplete;
      return {};
  }
}

Result<void> ReplyParser::take_head(std::string_view line) {
  if (status_ == 0) {
    if (line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ') {
      status_ = whole_number<int>(line.substr(9, 3)).value_or(0);
    }
    if (status_ < 100) return not_http("it begins with \"" + std::string(line.substr(0, 40)) + "\"");
    keep_alive_ = line[7] != '0';
    return {};
  }
  if (!line.empty()) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return not_http("a header has no colon");
    return take_header(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  head_size_ = 0;
  if (status_ < 200) {
    status_ = 0;
  } else if (status_ == 204 || status_ == 304) {
    state_ = State::kComplete;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else if (length_) {
    remaining_ = *length_;
    state_ = remaining_ == 0 ? State::kComplete : State::kLength;
  } else {
    keep_alive_ = false;
    state_ = State::kUntilClosed;
  }
  return {};
}

Result<void> ReplyParser::take_header(std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, "content-length")) {
    const auto length = whole_number<std::uint64_t>(value);
    if (!length || (length_ && length_ != length)) return not_http("its Content-Length is not one number");
    length_ = length;
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    if (!equals_ignoring_case(value, "chunked")) return not_http("its Transfer-Encoding is not chunked");
    chunked_ = true;
  } else if (equals_ignoring_case(name, "connection")) {
    if (list_contains(value, "close")) keep_alive_ = false;
  } else if (equals_ignoring_case(name, "date")) {
    date_ = parse_http_date(value);
  }
  return {};
}

Result<void> ReplyParser::take_chunk_size(std::string_view line) {
  const auto size = whole_number<std::uint64_t>(trim(line.substr(0, line.find(';'))), 16);
  if (!size) return not_http("a chunk has no size");
  head_size_ = 0;
  remaining_ = *size;
  state_ = remaining_ == 0 ? State::kTrailers : State::kChunk;
  return {};
}

Result<void> ReplyParser::closed() {
  keep_alive_ = false;
  if (state_ == State::kUntilClosed) state_ = State::kComplete;
  if (state_ == State::kComplete) return {};
  return Error{Code::kTransient, has_head() ? "the server closed the connection before the end of its reply"
                                            : "the server closed the connection without a reply"};
}

}  // namespace snapfreeze::kube
