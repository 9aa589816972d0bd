// Result<T>: a value, or an error that tells the caller what to do about it.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace snapfreeze {

// Only the distinctions that a caller branches on. Everything else is in the message.
enum class Code {
  kGone,       // 410: the resource version is too old, list again
  kConflict,   // 409: exists already, or was changed by someone else, or (KubeVirt) not in a state that allows it
  kNotFound,   // 404
  kForbidden,  // 401, 403
  kTransient,  // no reply, 429, 5xx: a retry may succeed
  kMalformed,  // bad input; a retry cannot succeed
  kNewer,      // of a version newer than this one, and not ours to touch; a retry cannot succeed
  kCancelled,  // we are stopping
};

struct Error {
  Code code = Code::kTransient;
  std::string message;
  // The HTTP status of the reply; 0 when none came, in which case the request may still take effect.
  int http_status = 0;
  // The request was not sent, so it has not taken effect and will not.
  bool not_sent = false;
  // What came is beyond our bounds of size, and was not taken. Asked for less, the same server may be understood.
  bool too_large = false;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition of the first group: ok(); of error(): !ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace snapfreeze
