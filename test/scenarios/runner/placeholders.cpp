#include "test/scenarios/runner/placeholders.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace runner {
namespace {

constexpr std::array<const char*, 5> kWords{"epoch", "lease", "uid", "snapshot", "namespace"};

}  // namespace

std::string filled(const std::string& text, const Resolve& resolve) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    const std::size_t begin = text.find("${", at);
    out.append(text, at, begin - at);
    if (begin == std::string::npos) return out;
    const std::size_t end = text.find('}', begin);
    const std::string inside = end == std::string::npos ? "" : text.substr(begin + 2, end - begin - 2);
    const std::size_t colon = inside.find(':');
    if (colon == std::string::npos)
      throw std::invalid_argument("'" + text + "' has a placeholder without end or colon");
    out += resolve({inside.substr(0, colon), inside.substr(colon + 1)});
    at = end + 1;
  }
}

std::string placeholder_problem(const std::string& text) {
  try {
    (void)filled(text, [](const Placeholder& placeholder) -> std::string {
      if (std::find(kWords.begin(), kWords.end(), placeholder.word) != kWords.end() && !placeholder.of.empty())
        return "";
      throw std::invalid_argument("has '${" + placeholder.word + ":" + placeholder.of +
                                  "}', a placeholder must be one of: epoch, lease, uid, snapshot, namespace");
    });
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

}  // namespace runner
