// Durations as Go and Kubernetes write them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace cluster {

// "1m30s", "1.5s", "500ms", "0"; nullopt: not a duration.
std::optional<std::chrono::nanoseconds> parse_go_duration(const std::string& text);

}  // namespace cluster
