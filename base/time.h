// Times and durations as the API writes them: RFC 3339 (metav1.Time, metav1.MicroTime) and Go's durations.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze {

// "2026-11-23T13:17:00Z", with any fraction (kept to nanoseconds) and offset. Years 1 to 9999, of which a Wall holds
// 1678 to 2261. The rest is kMalformed, as are leap seconds, which Go does not write.
Result<Wall> parse_time(std::string_view text);

// metav1.Time: whole seconds, truncated downwards.
[[nodiscard]] std::string format_time(Wall time);

// metav1.MicroTime, of Leases and Events: always six digits of fraction, or the API server refuses it.
[[nodiscard]] std::string format_micro_time(Wall time);

// Go's time.ParseDuration: "30s", "1m30s", "500ms", "1.5h", "-2s", "0"; truncated to milliseconds towards zero.
// kMalformed: anything else, and durations beyond 292 years.
Result<Millis> parse_duration(std::string_view text);

// Go's Duration.String: "0s", "500ms", "1.5s", "1m30s", "1h0m0s".
[[nodiscard]] std::string format_duration(Millis duration);

}  // namespace snapfreeze
