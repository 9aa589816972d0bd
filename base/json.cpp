#include "base/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
#include <rapidjson/stream.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "base/json_string.h"

namespace snapfreeze {
namespace {

// Null if no key is given twice. Looks once, at the end of the object: a check at each key would be quadratic.
const std::string* duplicate_key(const std::vector<Json::Member>& members) {
  constexpr std::size_t kFewEnoughToCompareAll = 16;
  if (members.size() <= kFewEnoughToCompareAll) {
    for (std::size_t i = 1; i < members.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (members[i].first == members[j].first) return &members[i].first;
      }
    }
    return nullptr;
  }
  std::vector<const std::string*> keys;
  keys.reserve(members.size());
  for (const Json::Member& member : members) keys.push_back(&member.first);
  std::sort(keys.begin(), keys.end(), [](const std::string* a, const std::string* b) { return *a < *b; });
  const auto twin =
      std::adjacent_find(keys.begin(), keys.end(), [](const std::string* a, const std::string* b) { return *a == *b; });
  return twin == keys.end() ? nullptr : *twin;
}

// RapidJSON 1.1.0 lets a lone \uDC00…\uDFFF through and writes it as the bytes ED B0 80…, which are not UTF-8.
bool has_surrogate(std::string_view text) {
  for (auto at = text.find('\xED'); at != std::string_view::npos; at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
  }
  return false;
}

std::string shortened(const std::string& key) {
  constexpr std::size_t kShown = 64;
  return key.size() <= kShown ? key : key.substr(0, kShown) + "…";
}

Error malformed(std::string_view what, std::size_t offset) {
  return {.code = Code::kMalformed,
          .message = "not acceptable JSON at byte " + std::to_string(offset) + ": " + std::string(what)};
}

}  // namespace

// Receives RapidJSON's events and builds the document. A handler that returns false ends the parsing.
class JsonBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, JsonBuilder> {
 public:
  explicit JsonBuilder(Json::Prune prune) : prunes_(prune == Json::Prune::kUnread) {}

  bool Null() { return add() != nullptr; }
  bool Bool(bool value) {
    Json* place = add();
    if (place != nullptr) place->value_ = value;
    return place != nullptr;
  }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    Json* place = add();
    if (place != nullptr) place->value_ = Json::Number{std::string(text, length)};
    return place != nullptr;
  }
  bool String(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    Json* place = is_utf8({text, length}) ? add() : nullptr;
    if (place != nullptr) place->value_.emplace<std::string>(text, length);
    return place != nullptr;
  }
  bool Key(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    if (!is_utf8({text, length})) return false;
    if (dropped_levels_ > 0) return true;
    std::get<std::vector<Json::Member>>(open_.back()->value_).emplace_back(std::string(text, length), Json());
    return true;
  }
  bool StartObject() { return open<std::vector<Json::Member>>(); }
  bool StartArray() { return open<std::vector<Json>>(); }
  bool EndArray(rapidjson::SizeType /*count*/) {
    if (dropped_levels_ > 0) return close_dropped();
    open_.pop_back();
    return true;
  }
  bool EndObject(rapidjson::SizeType /*count*/) {
    if (dropped_levels_ > 0) return close_dropped();
    const std::string* twin = duplicate_key(open_.back()->members());
    if (twin != nullptr) return refuse("the key \"" + shortened(*twin) + "\" is given twice in one object");
    open_.pop_back();
    return true;
  }

  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] bool too_large() const { return values_ > Json::kMaxValues; }
  Json take() { return std::move(root_); }

 private:
  bool refuse(std::string trouble) {
    trouble_ = std::move(trouble);
    return false;
  }

  bool is_utf8(std::string_view text) { return !has_surrogate(text) || refuse("a lone surrogate in a string"); }

  // The place of the next value, which is null as yet, or dropped_. nullptr when there are too many values already.
  Json* add() {
    if (dropped_levels_ > 0) return &dropped_;
    if (++values_ > Json::kMaxValues) {
      refuse("more than " + std::to_string(Json::kMaxValues) + " values");
      return nullptr;
    }
    if (open_.empty()) return &root_;
    auto& container = open_.back()->value_;
    auto* items = std::get_if<std::vector<Json>>(&container);
    if (items != nullptr) return &items->emplace_back();
    auto& [key, value] = std::get<std::vector<Json::Member>>(container).back();
    return prunes_ && key == "managedFields" ? &dropped_ : &value;
  }

  template <class Container>
  bool open() {
    const bool too_deep = open_.size() == Json::kMaxDepth;
    if (too_deep && !prunes_) return refuse_depth(Json::kMaxDepth);
    Json* place = add();
    if (place == nullptr) return false;
    if (too_deep || place == &dropped_) {
      return ++dropped_levels_ <= Json::kMaxDroppedDepth || refuse_depth(Json::kMaxDroppedDepth);
    }
    place->value_.emplace<Container>();
    open_.push_back(place);
    return true;
  }

  bool refuse_depth(int levels) { return refuse("nested deeper than " + std::to_string(levels) + " levels"); }

  bool close_dropped() {
    --dropped_levels_;
    return true;
  }

  const bool prunes_;
  Json root_;
  // The containers not yet closed, outermost first. The pointers hold: only the last one grows.
  std::vector<Json*> open_;
  int dropped_levels_ = 0;  // containers not yet closed that are dropped, and are not among open_
  Json dropped_;            // the place of any value that is dropped
  std::string trouble_;
  int values_ = 0;
};

Result<Json> Json::parse(std::string_view text, Prune prune) {
  // RapidJSON would check each byte by a table, which takes as long as all the rest of the parsing.
  const std::size_t bad = first_bad_utf8(text);
  if (bad != text.size()) return malformed("invalid UTF-8", bad);
  // The recursive parser overflows the stack on "[[[[…"; numbers as text keep what a double would round.
  // In a copy, strings are read where they stand, which is faster than one character at a time into a buffer.
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseInsituFlag;
  std::string copy(text);
  rapidjson::InsituStringStream stream(copy.data());
  rapidjson::Reader reader;
  JsonBuilder builder(prune);
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
  if (!builder.trouble().empty()) {
    Error error = malformed(builder.trouble(), parsed.Offset());
    error.too_large = builder.too_large();
    return error;
  }
  if (parsed.IsError()) return malformed(rapidjson::GetParseError_En(parsed.Code()), parsed.Offset());
  // RapidJSON takes a NUL for the end of the text.
  if (stream.Tell() != text.size()) return malformed("a NUL after the document", stream.Tell());
  return builder.take();
}

Json::Json(bool value) : value_(value) {}
Json::Json(std::int64_t value) : value_(Number{std::to_string(value)}) {}
Json::Json(std::string value) : value_(std::move(value)) {}

Json Json::object(std::initializer_list<Member> members) {
  Json object;
  object.value_ = std::vector<Member>();
  for (const Member& member : members) object.set(member.first, member.second);
  return object;
}

Json Json::array(std::vector<Json> items) {
  Json array;
  array.value_ = std::move(items);
  return array;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json kNone;
  for (const Member& member : members()) {
    if (member.first == key) return member.second;
  }
  return kNone;
}

const std::string& Json::string() const {
  static const std::string kNone;
  const auto* text = std::get_if<std::string>(&value_);
  return text != nullptr ? *text : kNone;
}

bool Json::boolean() const {
  const auto* value = std::get_if<bool>(&value_);
  return value != nullptr && *value;
}

std::optional<std::int64_t> Json::integer() const {
  const auto* number = std::get_if<Number>(&value_);
  if (number == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const char* end = number->text.data() + number->text.size();
  const auto [rest, error] = std::from_chars(number->text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

const std::vector<Json>& Json::items() const {
  static const std::vector<Json> kNone;
  const auto* items = std::get_if<std::vector<Json>>(&value_);
  return items != nullptr ? *items : kNone;
}

const std::vector<Json::Member>& Json::members() const {
  static const std::vector<Member> kNone;
  const auto* members = std::get_if<std::vector<Member>>(&value_);
  return members != nullptr ? *members : kNone;
}

Json& Json::set(std::string key, Json value) {
  if (!is_object()) value_ = std::vector<Member>();
  auto& members = std::get<std::vector<Member>>(value_);
  const auto known = std::find_if(members.begin(), members.end(), [&key](const Member& m) { return m.first == key; });
  if (known != members.end()) {
    known->second = std::move(value);
  } else {
    members.emplace_back(std::move(key), std::move(value));
  }
  return *this;
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = std::vector<Json>();
  std::get<std::vector<Json>>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::dump() const {
  std::string out;
  append_to(out);
  return out;
}

void Json::append_to(std::string& out) const {
  switch (kind()) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kBool:
      out += boolean() ? "true" : "false";
      return;
    case Kind::kNumber:
      out += std::get<Number>(value_).text;
      return;
    case Kind::kString:
      append_json_string(out, string());
      return;
    case Kind::kArray: {
      const char* separator = "[";
      for (const Json& item : items()) {
        out += separator;
        item.append_to(out);
        separator = ",";
      }
      out += items().empty() ? "[]" : "]";
      return;
    }
    case Kind::kObject: {
      const char* separator = "{";
      for (const Member& member : members()) {
        out += separator;
        append_json_string(out, member.first);
        out += ':';
        member.second.append_to(out);
        separator = ",";
      }
      out += members().empty() ? "{}" : "}";
      return;
    }
  }
}

}  // namespace snapfreeze
