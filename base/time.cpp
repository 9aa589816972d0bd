#include "base/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

namespace snapfreeze {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

Error not_a_time(std::string_view text) {
  return {Code::kMalformed, fmt::format("\"{}\" is not a time such as 2026-11-23T13:17:00Z (RFC 3339)", text)};
}

Error not_a_duration(std::string_view text) {
  return {Code::kMalformed, fmt::format("\"{}\" is not a duration such as 30s, 1m30s or 500ms", text)};
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

// Reads from the front of the text, which it shortens.
struct Reader {
  std::string_view rest;

  bool take(char expected) {
    if (!rest.starts_with(expected)) return false;
    rest.remove_prefix(1);
    return true;
  }

  std::optional<int> digits(std::size_t count) {
    if (rest.size() < count) return std::nullopt;
    int value = 0;
    for (const char character : rest.substr(0, count)) {
      if (!is_digit(character)) return std::nullopt;
      value = value * 10 + (character - '0');
    }
    rest.remove_prefix(count);
    return value;
  }

  std::string_view digit_run() {
    std::size_t length = 0;
    while (length < rest.size() && is_digit(rest[length])) ++length;
    const std::string_view run = rest.substr(0, length);
    rest.remove_prefix(length);
    return run;
  }
};

// ".123" as nanoseconds; digits past the ninth are dropped.
std::int64_t fraction_as_nanos(std::string_view digits) {
  std::int64_t nanos = 0;
  for (std::size_t i = 0; i < 9; ++i) nanos = nanos * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return nanos;
}

// Minutes east of UTC.
std::optional<int> read_offset(Reader& reader) {
  if (reader.take('Z')) return 0;
  const int sign = reader.take('-') ? -1 : reader.take('+') ? 1 : 0;
  if (sign == 0) return std::nullopt;
  const auto hours = reader.digits(2);
  if (!hours || *hours > 23 || !reader.take(':')) return std::nullopt;
  const auto minutes = reader.digits(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

std::optional<std::chrono::sys_days> read_date(Reader& reader) {
  const auto year = reader.digits(4);
  if (!year || !reader.take('-')) return std::nullopt;
  const auto month = reader.digits(2);
  if (!month || !reader.take('-')) return std::nullopt;
  const auto day = reader.digits(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<int> read_time_of_day(Reader& reader) {
  const auto hours = reader.digits(2);
  if (!hours || *hours > 23 || !reader.take(':')) return std::nullopt;
  const auto minutes = reader.digits(2);
  if (!minutes || *minutes > 59 || !reader.take(':')) return std::nullopt;
  const auto seconds = reader.digits(2);
  if (!seconds || *seconds > 59) return std::nullopt;
  return *hours * 3600 + *minutes * 60 + *seconds;
}

// "2026-11-23T13:17:00", without fraction and zone.
std::string format_seconds(std::chrono::sys_seconds time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss of_day(time - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), of_day.hours().count(),
                     of_day.minutes().count(), of_day.seconds().count());
}

// One unit of a Go duration, longest spelling first.
struct Unit {
  std::string_view name;
  std::int64_t nanos;
};
constexpr std::array kUnits{Unit{"ns", 1},
                            Unit{"us", 1'000},
                            Unit{"\xC2\xB5s", 1'000},
                            Unit{"\xCE\xBCs", 1'000},
                            Unit{"ms", 1'000'000},
                            Unit{"s", kNanosPerSecond},
                            Unit{"m", 60 * kNanosPerSecond},
                            Unit{"h", 3600 * kNanosPerSecond}};

std::optional<std::int64_t> read_unit(Reader& reader) {
  for (const Unit& unit : kUnits) {
    if (!reader.rest.starts_with(unit.name)) continue;
    reader.rest.remove_prefix(unit.name.size());
    return unit.nanos;
  }
  return std::nullopt;
}

// "1.5h" as nanoseconds; nullopt when it is not a duration or does not fit.
std::optional<std::int64_t> read_part(Reader& reader) {
  const std::string_view whole = reader.digit_run();
  const std::string_view fraction = reader.take('.') ? reader.digit_run() : std::string_view();
  if (whole.empty() && fraction.empty()) return std::nullopt;
  const auto unit = read_unit(reader);
  if (!unit) return std::nullopt;
  std::int64_t count = 0;
  if (!whole.empty()) {
    const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), count);
    if (error != std::errc()) return std::nullopt;
  }
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(count, *unit, &nanos)) return std::nullopt;
  // A fraction of an hour times 1e9 is 3.6e21: more than 64 bits hold.
  const auto part = static_cast<std::int64_t>(static_cast<long double>(fraction_as_nanos(fraction)) *
                                              static_cast<long double>(*unit) / kNanosPerSecond);
  if (__builtin_add_overflow(nanos, part, &nanos)) return std::nullopt;
  return nanos;
}

}  // namespace

Result<Wall> parse_time(std::string_view text) {
  Reader reader{text};
  const auto date = read_date(reader);
  if (!date || !reader.take('T')) return not_a_time(text);
  const auto time_of_day = read_time_of_day(reader);
  if (!time_of_day) return not_a_time(text);
  std::int64_t nanos = 0;
  if (reader.take('.')) {
    const std::string_view digits = reader.digit_run();
    if (digits.empty()) return not_a_time(text);
    nanos = fraction_as_nanos(digits);
  }
  const auto offset = read_offset(reader);
  if (!offset || !reader.rest.empty()) return not_a_time(text);
  const auto seconds =
      (*date + std::chrono::seconds(*time_of_day) - std::chrono::minutes(*offset)).time_since_epoch().count();
  constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 1;
  if (seconds > kMaxSeconds || seconds < -kMaxSeconds) return not_a_time(text);
  return Wall(nanoseconds(seconds * kNanosPerSecond + nanos));
}

std::string format_time(Wall time) {
  return format_seconds(std::chrono::floor<std::chrono::seconds>(time)) + "Z";
}

std::string format_micro_time(Wall time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = std::chrono::floor<std::chrono::microseconds>(time - seconds);
  return fmt::format("{}.{:06}Z", format_seconds(seconds), fraction.count());
}

Result<Millis> parse_duration(std::string_view text) {
  Reader reader{text};
  const bool negative = reader.take('-');
  if (!negative) reader.take('+');
  if (reader.rest == "0") return Millis(0);
  if (reader.rest.empty()) return not_a_duration(text);
  std::int64_t total = 0;
  while (!reader.rest.empty()) {
    const auto part = read_part(reader);
    if (!part || __builtin_add_overflow(total, *part, &total)) return not_a_duration(text);
  }
  const Millis duration = std::chrono::duration_cast<Millis>(nanoseconds(total));
  return negative ? -duration : duration;
}

std::string format_duration(Millis duration) {
  const std::int64_t total = duration.count();
  if (total < 0) return fmt::format("-{}", format_duration(-duration));
  if (total > 0 && total < 1000) return fmt::format("{}ms", total);
  const std::int64_t hours = total / 3'600'000;
  const std::int64_t minutes = total / 60'000 % 60;
  std::string text;
  if (hours > 0) text += fmt::format("{}h", hours);
  if (hours > 0 || minutes > 0) text += fmt::format("{}m", minutes);
  return text + fmt::format("{}s", static_cast<double>(total % 60'000) / 1000);
}

}  // namespace snapfreeze
