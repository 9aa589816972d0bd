#include "test/unit/base/random_json.h"

#include <algorithm>
#include <array>

namespace test {
namespace {

using snapfreeze::Json;

int below(std::mt19937& random, int bound) {
  return std::uniform_int_distribution<int>(0, bound - 1)(random);
}

Json random_number(std::mt19937& random) {
  constexpr std::array kNumbers = {
      "0", "-0.0", "1e-7", "2.50", "-12E+3", "18446744073709551616", "9223372036854775807"};
  if (below(random, 2) == 0) return Json(below(random, 1'000'000) - 500'000);
  return std::move(Json::parse(kNumbers[below(random, kNumbers.size())])).value();
}

}  // namespace

std::string random_text(std::mt19937& random) {
  static const std::array<std::string, 14> kCharacters = {
      "a", "Z", "0", " ", "\"", "\\", "/", "\n", std::string(1, '\0'), "\x1f", "é", "€", "\U0001F600", "\uFFFF"};
  std::string text;
  for (int length = below(random, 13); length > 0; --length) text += kCharacters[below(random, kCharacters.size())];
  return text;
}

std::string random_bytes(std::mt19937& random) {
  std::string bytes;
  for (int length = below(random, 13); length > 0; --length) bytes += static_cast<char>(below(random, 256));
  return bytes;
}

Json random_json(std::mt19937& random, int depth) {
  switch (below(random, depth > 1 ? 6 : 4)) {
    case 0:
      return nullptr;
    case 1:
      return below(random, 2) == 0;
    case 2:
      return random_number(random);
    case 3:
      return random_text(random);
    case 4: {
      Json array = Json::array();
      for (int length = below(random, 6); length > 0; --length) array.push(random_json(random, depth - 1));
      return array;
    }
    default: {
      Json object = Json::object();
      for (int length = below(random, 30); length > 0; --length) {
        object.set(random_text(random), random_json(random, depth - 2));
      }
      return object;
    }
  }
}

bool same(const Json& a, const Json& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Json::Kind::kArray:
      return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), same);
    case Json::Kind::kObject:
      return std::equal(a.members().begin(), a.members().end(), b.members().begin(), b.members().end(),
                        [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
    case Json::Kind::kString:
      return a.string() == b.string();
    default:
      return a.dump() == b.dump();
  }
}

}  // namespace test
