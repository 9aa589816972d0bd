#include "base/json.h"

#include <ctime>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "test/support/catch.h"
#include "test/unit/base/random_json.h"

using snapfreeze::Code;
using snapfreeze::Json;

namespace {

std::string captured_review() {
  std::ifstream file(SNAPFREEZE_SOURCE_DIR "/test/unit/base/testdata/admission-review.json", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr auto kUnread = Json::Prune::kUnread;

// The message of the refusal, or "" when the text is accepted.
std::string refusal(std::string_view text, Json::Prune prune = Json::Prune::kNothing) {
  const auto json = Json::parse(text, prune);
  if (json.ok()) return "";
  CHECK(json.error().code == Code::kMalformed);
  return json.error().message;
}

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string around(std::string_view before, std::string_view text, std::string_view after) {
  return std::string(before).append(text).append(after);
}

std::string nested_arrays(int depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string object_of(int keys) {
  std::string text = "{";
  for (int i = 0; i < keys; ++i) text += "\"key-" + std::to_string(i) + "\":0,";
  text.back() = '}';
  return text;
}

}  // namespace

TEST_CASE("a captured review is read field by field") {
  const auto review = Json::parse(captured_review());
  REQUIRE(review.ok());
  const Json& request = (*review)["request"];
  CHECK((*review)["kind"].string() == "AdmissionReview");
  CHECK(request["operation"].string() == "CREATE");
  CHECK(request["userInfo"]["groups"].items().size() == 3);
  CHECK_FALSE(request["dryRun"].boolean());
}

TEST_CASE("a review cut at any byte is refused") {
  std::string review = captured_review();
  review.erase(review.find_last_of('}') + 1);
  REQUIRE(Json::parse(review).ok());
  for (std::size_t size = 0; size < review.size(); ++size) {
    INFO("first " << size << " bytes");
    CHECK(refusal(std::string_view(review).substr(0, size)) != "");
  }
}

TEST_CASE("a refusal names the byte and the trouble") {
  CHECK(refusal(R"({"a":1,})") == "not acceptable JSON at byte 7: Missing a name for object member.");
}

TEST_CASE("anything after the document is refused") {
  CHECK(refusal("{} {}") != "");
  CHECK(refusal("{}x") != "");
  CHECK(refusal(std::string_view("{}\0", 3)) == "not acceptable JSON at byte 2: a NUL after the document");
  CHECK(refusal(std::string_view("{} \0{}", 6)) != "");
  CHECK(refusal("{}\r\n\t ") == "");
}

TEST_CASE("64 levels are accepted and 65 are refused") {
  CHECK(refusal(nested_arrays(64)) == "");
  CHECK(refusal(nested_arrays(65)) == "not acceptable JSON at byte 64: nested deeper than 64 levels");
  CHECK(refusal(repeated("{\"a\":", 64) + "0" + repeated("}", 64)) == "");
  CHECK(refusal(repeated("{\"a\":", 65) + "0" + repeated("}", 65)) != "");
}

TEST_CASE("8 MiB of opening brackets do no harm") {
  CHECK(refusal(std::string(8U << 20U, '[')) != "");
  CHECK(refusal(std::string(8U << 20U, '['), kUnread).find("nested deeper than 100000 levels") != std::string::npos);
}

TEST_CASE("pruned, a container below 64 levels is null and its neighbours are kept") {
  const std::string deep =
      around(repeated("{\"a\":", 63) + "[1,", R"({"x":[{}],"x":2},[[3]],4)", "]" + repeated("}", 63));
  CHECK(refusal(deep) != "");
  CHECK(Json::parse(deep, kUnread)->dump() == repeated("{\"a\":", 63) + "[1,null,null,4]" + repeated("}", 63));
  CHECK(Json::parse(nested_arrays(10'000), kUnread)->dump() == repeated("[", 64) + "null" + repeated("]", 64));
  CHECK(Json::parse(nested_arrays(64), kUnread)->dump() == nested_arrays(64));
}

TEST_CASE("pruned, managed fields are null") {
  const auto value =
      GENERATE(as<std::string>(), R"([{"f:a":{"managedFields":[1]}},"b"])", "{}", "[]", "1", "\"a\"", "true");
  const std::string object = around(R"({"a":[1],"managedFields":)", value, R"(,"b":{"managedField":[2]}})");
  CHECK(Json::parse(object, kUnread)->dump() == R"({"a":[1],"managedFields":null,"b":{"managedField":[2]}})");
  CHECK(Json::parse(object)->dump() == object);
}

TEST_CASE("pruned, managed fields cost no values") {
  const std::string many = around("{\"managedFields\":[", repeated("0,", Json::kMaxValues), "0]}");
  CHECK(refusal(many) != "");
  CHECK(refusal(many, kUnread) == "");
}

TEST_CASE("pruned, what is kept is judged as strictly, and so is the text of what is dropped") {
  CHECK(refusal(R"({"managedFields":{"a":1,"a":1}})", kUnread) == "");
  CHECK(refusal(R"({"managedFields":{},"managedFields":{}})", kUnread) != "");
  CHECK(refusal(R"({"managedFields":{"a":1},"a":1,"a":1})", kUnread) != "");
  CHECK(refusal("{\"managedFields\":[\"\x80\"]}", kUnread) != "");
  CHECK(refusal(R"({"managedFields":["\udc00"]})", kUnread) != "");
  CHECK(refusal(R"({"managedFields":[1})", kUnread) != "");
  CHECK(refusal(R"({"managedFields":[1]]})", kUnread) != "");
}

TEST_CASE("a document of too many values is refused") {
  CHECK(refusal(around("[", repeated("0,", Json::kMaxValues - 2), "0]")) == "");
  CHECK(refusal(around("[", repeated("0,", Json::kMaxValues - 1), "0]")).find("more than 1000000 values") !=
        std::string::npos);
  CHECK(Json::parse(around("[", repeated("0,", Json::kMaxValues), "0]")).error().too_large);
  CHECK_FALSE(Json::parse("[0,]").error().too_large);
}

TEST_CASE("a key given twice is refused, in small objects and in large ones") {
  CHECK(refusal(R"({"a":1,"b":2,"a":1})").find("the key \"a\" is given twice") != std::string::npos);
  CHECK(refusal(R"({"a":1,"\u0061":2})") != "");
  CHECK(refusal(R"([{"x":{"a":1,"a":1}}])") != "");
  CHECK(refusal(R"([{"a":1},{"a":1}])") == "");

  std::string large = object_of(100'000);
  CHECK(refusal(large) == "");
  large.back() = ',';
  CHECK(refusal(large + R"("key-50000":0})").find("\"key-50000\" is given twice") != std::string::npos);
}

TEST_CASE("looking for a key given twice is not quadratic") {
  const std::string large = object_of(300'000);
  const std::clock_t begin = std::clock();
  CHECK(refusal(large) == "");
  // Of the processor, so that a busy machine does not matter. Comparing each with each takes half a minute or more,
  // this a tenth of a second.
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 10);
}

TEST_CASE("bad UTF-8 is refused") {
  const auto bytes = GENERATE(as<std::string>(), "\x80", "\xC3", "\xC0\xAF", "\xE2\x82", "\xED\xA0\x80", "\xED\xBF\xBF",
                              "\xF0\x80\x80\xAF", "\xF4\x90\x80\x80", "\xFF");
  CHECK(refusal(around("\"", bytes, "\"")) != "");
  CHECK(refusal(around("{\"", bytes, "\":0}")) != "");
}

// Eight bytes are looked at at once where all is ASCII.
TEST_CASE("UTF-8 is checked wherever it stands") {
  for (std::size_t at = 0; at < 20; ++at) {
    CAPTURE(at);
    const std::string before = "\"" + std::string(at, 'a');
    for (const std::size_t after : {0U, 1U, 7U, 8U, 20U}) {
      const std::string rest = std::string(after, 'b') + "\"";
      for (const std::string good : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
        CHECK(refusal(before + good + rest) == "");
        const std::string cut_short = good.substr(0, good.size() - 1);
        CHECK(refusal(before + cut_short + rest).find("at byte " + std::to_string(at + 1) + ":") != std::string::npos);
      }
    }
  }
}

TEST_CASE("a byte order mark is refused") {
  CHECK(refusal("\xEF\xBB\xBF{}") != "");
}

TEST_CASE("a lone surrogate is refused") {
  const auto escape = GENERATE(as<std::string>(), R"(\ud800)", R"(\udc00)", R"(\udfff)", R"(\ud800x)",
                               R"(\ud800\ud800)", R"(\udc00\ud800)");
  CHECK(refusal(around("\"", escape, "\"")) != "");
  CHECK(refusal(around("{\"", escape, "\":0}")) != "");
}

TEST_CASE("escapes become what they stand for") {
  const auto json = Json::parse(R"("\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00\ud7ff")");
  REQUIRE(json.ok());
  CHECK(json->string() == "\"\\/\b\f\n\r\t\u00e9\u20ac\U0001F600\uD7FF");
}

TEST_CASE("a NUL in a string is kept") {
  const auto json = Json::parse(R"({"a\u0000b":"c\u0000d"})");
  REQUIRE(json.ok());
  CHECK((*json)[std::string_view("a\0b", 3)].string() == std::string("c\0d", 3));
  CHECK(json->dump() == R"({"a\u0000b":"c\u0000d"})");
}

TEST_CASE("control characters in a string are refused") {
  for (char byte = 0; byte < 0x20; ++byte) CHECK(refusal(around("\"", {&byte, 1}, "\"")) != "");
}

TEST_CASE("what is not JSON is refused") {
  const auto text = GENERATE(as<std::string>(), "", " ", "nul", "truE", "NaN", "Infinity", "-", "01", "+1", ".5", "1.",
                             "1e", "1e+", "0x1", "'a'", "[1,]", "{,}", "{\"a\"}", "{a:1}", "{1:1}", "[1 2]", "[}", "{]",
                             "// c\n1", "\"\\x\"", "\"\\u12g4\"");
  CAPTURE(text);
  CHECK(refusal(text) != "");
}

TEST_CASE("numbers keep their text") {
  const auto text =
      GENERATE(as<std::string>(), "0", "-0", "1", "-1", "1.0", "1e2", "1E+2", "0.1e-400", "9223372036854775807",
               "18446744073709551616", "123456789012345678901234567890", "3.141592653589793238462643");
  CAPTURE(text);
  const auto json = Json::parse(text);
  REQUIRE(json.ok());
  CHECK(json->kind() == Json::Kind::kNumber);
  CHECK(json->dump() == text);
}

TEST_CASE("an integer is one only within 64 bits and without a fraction") {
  CHECK(Json::parse("9223372036854775807")->integer() == INT64_MAX);
  CHECK(Json::parse("-9223372036854775808")->integer() == INT64_MIN);
  CHECK(Json::parse("9223372036854775808")->integer() == std::nullopt);
  CHECK(Json::parse("1.0")->integer() == std::nullopt);
  CHECK(Json::parse("1e2")->integer() == std::nullopt);
  CHECK(Json::parse("\"1\"")->integer() == std::nullopt);
}

TEST_CASE("huge numbers do no harm") {
  CHECK(refusal("1e309") != "");
  CHECK(refusal("1e99999999999999999999") != "");
  CHECK(refusal("1e-99999999999999999999") == "");
  CHECK(refusal(std::string(1'000'000, '9')) != "");
  CHECK(refusal("0." + std::string(1'000'000, '9')) == "");
  CHECK(refusal("-") != "");
}

TEST_CASE("looking up what is absent gives null at any depth") {
  const Json nothing;
  CHECK(nothing["a"]["b"].is_null());
  CHECK(nothing["a"].string().empty());
  CHECK(nothing.items().empty());
  CHECK(nothing.members().empty());
  CHECK_FALSE(nothing.boolean());
  CHECK_FALSE(Json("true").boolean());
  CHECK(Json(1).string().empty());
}

TEST_CASE("set replaces and keeps the order") {
  Json json;
  json.set("b", 1).set("a", true).set("b", nullptr).set("c", Json().push("x").push(-5));
  CHECK(json.dump() == R"({"b":null,"a":true,"c":["x",-5]})");
}

TEST_CASE("empty containers keep their kind") {
  CHECK(Json::object().dump() == "{}");
  CHECK(Json::array().dump() == "[]");
}

TEST_CASE("strings are written so that they read back") {
  CHECK(Json("a\"\\\n\r\t\b\x7f/é").dump() == "\"a\\\"\\\\\\n\\r\\t\\u0008\x7f/é\"");
}

TEST_CASE("bad UTF-8 of our own is written as replacement characters") {
  CHECK(Json("a\xFFz").dump() == "\"a\uFFFDz\"");
  CHECK(Json("\xE2\x82").dump() == "\"\uFFFD\uFFFD\"");
  const auto [bytes, count] = GENERATE(table<std::string, int>({
      {"\xC0\xAF", 2},          // overlong
      {"\xE0\x9F\xBF", 3},      // overlong
      {"\xED\xA0\x80", 3},      // a surrogate
      {"\xF0\x8F\xBF\xBF", 4},  // overlong
      {"\xF4\x90\x80\x80", 4},  // beyond U+10FFFF
  }));
  CHECK(Json(bytes).dump() == around("\"", repeated("\uFFFD", count), "\""));
}

TEST_CASE("what is written reads back the same") {
  const auto seed = GENERATE(range(1U, 501U));
  CAPTURE(seed);
  std::mt19937 random(seed);
  const Json json = test::random_json(random);
  const auto again = Json::parse(json.dump());
  REQUIRE(again.ok());
  CHECK(test::same(*again, json));
}
