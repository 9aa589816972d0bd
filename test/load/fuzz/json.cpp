// What is parsed is dumped to a text of the same meaning, and an independent parser agrees about what is JSON.
#include "base/json.h"

#include <nlohmann/json.hpp>

#include "test/load/fuzz/fuzz.h"

using snapfreeze::Json;
using snapfreeze::fuzz::must;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = snapfreeze::fuzz::text_of(data, size);
  const auto parsed = Json::parse(text);
  if (!parsed) {
    must(!parsed.error().message.empty(), "a refusal says why");
    return 0;
  }
  const std::string dumped = parsed->dump();
  const auto again = Json::parse(dumped);
  must(again.ok(), "what was dumped can be parsed");
  must(again->dump() == dumped, "a second dump is the same");
  const auto independent = nlohmann::json::parse(text, nullptr, false);
  must(!independent.is_discarded(), "another parser takes it for JSON as well");
  must(independent == nlohmann::json::parse(dumped, nullptr, false), "it means the same to another parser");
  return 0;
}
