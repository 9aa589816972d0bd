// Structured logs on stderr: one line for each event, with a constant message and then fields.
//
//   log::info("guest frozen", {{"namespace", vm.ns}, {"name", vm.name}, {"seconds", 0.2}});
//
// Keys shared by the whole project: namespace, name, resource, user, requestID, error. Never log a body, token or
// secret.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

namespace snapfreeze::log {

enum class Format {
  kJson,  // {"time":"2026-01-31T12:00:00.000Z","level":"info","message":…,<fields in their order>}
  kText,  // for people: columns, key=value, coloured on a terminal
};

enum class Level { kDebug, kInfo, kWarning, kError };

// A field only refers to its texts, so it lives no longer than the call that it is made for.
class Field {
 public:
  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(std::string_view(value)) {}
  Field(std::string_view key, double value) : key_(key), value_(value) {}
  Field(std::string_view key, std::same_as<bool> auto value) : key_(key), value_(value) {}
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) Field(std::string_view key, Integer value)
      : key_(key), value_(static_cast<std::int64_t>(value)) {}

  // "key":value. Bad UTF-8 becomes U+FFFD; a number that is not finite becomes a string.
  void append_json(std::string& out) const;
  // key=value. A text that is not one plain word is in quotes.
  void append_text(std::string& out) const;

 private:
  void append_value(std::string& out) const;

  std::string_view key_;
  std::variant<std::string_view, std::int64_t, double, bool> value_;
};

using Fields = std::initializer_list<Field>;

// Until it is called, logs are JSON from kInfo up. Thread-safe, but meant for the start of the process.
void configure(Format format, Level least);

// Thread-safe; a line is written whole. They never throw: a line that cannot be written is lost.
void debug(std::string_view message, Fields fields = {}) noexcept;
void info(std::string_view message, Fields fields = {}) noexcept;
void warning(std::string_view message, Fields fields = {}) noexcept;
void error(std::string_view message, Fields fields = {}) noexcept;

// For something that is retried: logs a failure once, again when the error changes, and once when it is over.
//
//   log::Once list_{"cannot list leases", "listing leases again"};
//   …
//   if (!leases) list_.failed(leases.error().message); else list_.succeeded();
//
// Thread-safe. The messages must outlive it.
class Once {
 public:
  Once(std::string_view trouble, std::string_view over) : trouble_(trouble), over_(over) {}

  // A warning with the field "error", unless the last call said the same.
  void failed(std::string_view error, Fields fields = {});
  // An info with the number of failures, if there were any.
  void succeeded(Fields fields = {});

 private:
  const std::string_view trouble_;
  const std::string_view over_;
  std::mutex mutex_;
  std::string said_;
  int failures_ = 0;
};

}  // namespace snapfreeze::log
