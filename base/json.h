// A JSON document as a plain value. The parser is made for hostile input: RapidJSON's iterative reader, with depth and
// duplicate keys checked, and numbers kept as text. Only json.cpp knows which JSON library we use.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace snapfreeze {

// As thread-safe as a std::string.
class Json {
 public:
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  // Levels of containers. What we read of an object lies within some 10.
  static constexpr int kMaxDepth = 64;
  // Levels of a container that is dropped. The API server stores none of more than 10,000 (Go's decoder), and the
  // parser takes 8 bytes for each.
  static constexpr int kMaxDroppedDepth = 100'000;
  // A value takes 40 bytes however short its text is, so "[0,0,0…" of 7 MiB would take 150 MB. A page of 500 objects
  // has some 100,000 values.
  static constexpr int kMaxValues = 1'000'000;

  // What becomes null instead of being read.
  enum class Prune {
    kNothing,
    // For replies of the API server. There one object that anybody may write stands among those of all, and must not
    // spoil them: a container deeper than kMaxDepth, and the value of each key "managedFields", which is often half of
    // an object. Nobody reads either. What they hold costs no values, and its keys may be given twice.
    kUnread,
  };

  // kMalformed, naming the trouble and the byte offset: not JSON (RFC 8259), anything after the document, invalid
  // UTF-8, a lone surrogate, depth over kMaxDepth (of what is dropped, kMaxDroppedDepth), more than kMaxValues values
  // (`too_large`), a duplicate key in one object, a number beyond the range of a double. "\u0000" in a string is kept.
  static Result<Json> parse(std::string_view text, Prune prune = Prune::kNothing);

  Json() = default;                                           // null
  Json(std::nullptr_t) {}                                     // NOLINT(google-explicit-constructor)
  Json(bool value);                                           // NOLINT(google-explicit-constructor)
  Json(int value) : Json(std::int64_t{value}) {}              // NOLINT(google-explicit-constructor)
  Json(std::int64_t value);                                   // NOLINT(google-explicit-constructor)
  Json(std::string value);                                    // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : Json(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* value) : Json(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  static Json object(std::initializer_list<Member> members = {});
  static Json array(std::vector<Json> items = {});

  [[nodiscard]] Kind kind() const { return static_cast<Kind>(value_.index()); }
  [[nodiscard]] bool is_null() const { return kind() == Kind::kNull; }
  [[nodiscard]] bool is_object() const { return kind() == Kind::kObject; }
  [[nodiscard]] bool is_array() const { return kind() == Kind::kArray; }
  [[nodiscard]] bool is_string() const { return kind() == Kind::kString; }

  // Look-ups never fail: a value that is absent, or of another kind, is null, "", false, nullopt or empty. A caller
  // that must distinguish them asks for the kind.
  const Json& operator[](std::string_view key) const;
  [[nodiscard]] const std::string& string() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;  // nullopt for fractions, and beyond 64 bits
  [[nodiscard]] const std::vector<Json>& items() const;
  [[nodiscard]] const std::vector<Member>& members() const;

  // Building. set() and push() first turn a value of another kind into an empty object or array. set() replaces a
  // member with the same key. Both return *this.
  Json& set(std::string key, Json value);
  Json& push(Json value);

  // Compact, with members in the order in which they were set or parsed, and numbers as they were written. Always valid
  // UTF-8: a bad byte in a string that we set becomes U+FFFD.
  [[nodiscard]] std::string dump() const;

 private:
  friend class JsonBuilder;
  struct Number {
    std::string text;
  };
  void append_to(std::string& out) const;

  // The alternatives stand in the order of Kind.
  std::variant<std::monostate, bool, Number, std::string, std::vector<Json>, std::vector<Member>> value_;
};

}  // namespace snapfreeze
