#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "base/json_string.h"

namespace snapfreeze::log {
namespace {

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc()) out.append(digits.data(), end);
}

bool is_one_word(std::string_view text) {
  const auto plain = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '='; };
  return !text.empty() && std::all_of(text.begin(), text.end(), plain);
}

// The text is everything after the level, as the pattern of that format expects it.
std::string json_payload(std::string_view message, std::span<const Field> fields) {
  std::string out;
  append_json_string(out, message);
  for (const Field& field : fields) {
    out += ',';
    field.append_json(out);
  }
  out += '}';
  return out;
}

std::string text_payload(std::string_view message, std::span<const Field> fields) {
  constexpr std::size_t kMessageColumn = 36;
  std::string out(message);
  if (!fields.empty() && out.size() < kMessageColumn) out.resize(kMessageColumn, ' ');
  for (const Field& field : fields) {
    out += ' ';
    field.append_text(out);
  }
  return out;
}

// spdlog filters by level, adds time and level, and writes whole lines.
class Writer {
 public:
  // Never destroyed, so that a thread that outlives main() can still log.
  static Writer& instance() {
    static auto* writer = new Writer();
    return *writer;
  }

  void configure(Format format, spdlog::level::level_enum least) {
    format_ = format;
    const char* pattern = format == Format::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v)"
                                                  : "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v";
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
    logger_.set_level(least);
  }

  void write(spdlog::level::level_enum level, std::string_view message, std::span<const Field> fields) noexcept {
    try {
      if (!logger_.should_log(level)) return;
      const std::string payload =
          format_ == Format::kJson ? json_payload(message, fields) : text_payload(message, fields);
      logger_.log(level, spdlog::string_view_t(payload.data(), payload.size()));
    } catch (...) {
      // Out of memory: a lost line is better than a lost thaw.
    }
  }

 private:
  Writer() : logger_("snapfreeze", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    // The default handler writes a line of its own to stderr, which would be no JSON.
    logger_.set_error_handler([](const std::string&) {});
    logger_.flush_on(spdlog::level::trace);
    configure(Format::kJson, spdlog::level::info);
  }

  spdlog::logger logger_;
  std::atomic<Format> format_ = Format::kJson;
};

}  // namespace

void Field::append_json(std::string& out) const {
  append_json_string(out, key_);
  out += ':';
  append_value(out);
}

void Field::append_text(std::string& out) const {
  out.append(key_).append("=");
  const auto* text = std::get_if<std::string_view>(&value_);
  if (text != nullptr && is_one_word(*text)) {
    out.append(*text);
  } else {
    append_value(out);
  }
}

void Field::append_value(std::string& out) const {
  if (const auto* text = std::get_if<std::string_view>(&value_)) {
    append_json_string(out, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value_)) {
    append_number(out, *integer);
  } else if (const auto* number = std::get_if<double>(&value_)) {
    const char* quote = std::isfinite(*number) ? "" : "\"";
    out += quote;
    append_number(out, *number);
    out += quote;
  } else {
    out += std::get<bool>(value_) ? "true" : "false";
  }
}

void configure(Format format, Level least) {
  constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  Writer::instance().configure(format, kLevels.at(static_cast<std::size_t>(least)));
}

void debug(std::string_view message, Fields fields) noexcept {
  Writer::instance().write(spdlog::level::debug, message, {fields.begin(), fields.size()});
}
void info(std::string_view message, Fields fields) noexcept {
  Writer::instance().write(spdlog::level::info, message, {fields.begin(), fields.size()});
}
void warning(std::string_view message, Fields fields) noexcept {
  Writer::instance().write(spdlog::level::warn, message, {fields.begin(), fields.size()});
}
void error(std::string_view message, Fields fields) noexcept {
  Writer::instance().write(spdlog::level::err, message, {fields.begin(), fields.size()});
}

void Once::failed(std::string_view error, Fields fields) {
  const std::lock_guard lock(mutex_);
  ++failures_;
  if (failures_ > 1 && error == said_) return;
  said_ = error;
  std::vector<Field> all(fields);
  all.emplace_back("error", error);
  Writer::instance().write(spdlog::level::warn, trouble_, all);
}

void Once::succeeded(Fields fields) {
  const std::lock_guard lock(mutex_);
  if (failures_ == 0) return;
  std::vector<Field> all(fields);
  all.emplace_back("failures", failures_);
  Writer::instance().write(spdlog::level::info, over_, all);
  failures_ = 0;
}

}  // namespace snapfreeze::log
