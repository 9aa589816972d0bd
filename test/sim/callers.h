// Whose call it was, by the name that the cluster knows.
#pragma once

#include <string>

#include "test/double/truth.h"

namespace sim {

// `snapfreeze thaw` and `drain`.
inline constexpr char kCommandCaller[] = "snapfreeze-command";

// Of an entry of kind "call".
inline std::string caller_of(const cluster::TimelineEntry& call) {
  return call.detail.substr(call.detail.rfind(' ') + 1);
}

inline bool is_webhook(const std::string& by) {
  return by.starts_with("webhook-");
}
inline bool is_ours(const std::string& by) {
  return is_webhook(by) || by.starts_with("sweeper-");
}
inline bool is_harvester(const std::string& by) {
  return by.starts_with("system:serviceaccount:harvester-system:");
}

}  // namespace sim
