// A time or duration that is read is written as one that is read as the same.
#include "base/time.h"
#include "test/load/fuzz/fuzz.h"

using snapfreeze::format_duration;
using snapfreeze::format_micro_time;
using snapfreeze::format_time;
using snapfreeze::parse_duration;
using snapfreeze::parse_time;
using snapfreeze::fuzz::must;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = snapfreeze::fuzz::text_of(data, size);
  if (const auto time = parse_time(text)) {
    const auto whole = parse_time(format_time(*time));
    must(whole.ok() && *whole <= *time && *time - *whole < std::chrono::seconds(1), "whole seconds, downwards");
    const auto micro = parse_time(format_micro_time(*time));
    must(micro.ok() && *micro <= *time && *time - *micro < std::chrono::microseconds(1), "microseconds, downwards");
  }
  if (const auto duration = parse_duration(text)) {
    const auto again = parse_duration(format_duration(*duration));
    must(again.ok() && *again == *duration, "a duration is read as the same");
  }
  return 0;
}
