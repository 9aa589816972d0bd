// What the tests of `check` write down as read.
#pragma once

#include <string>

#include "base/time.h"
#include "kube/views.h"
#include "test/unit/cli/texts.h"

namespace snapfreeze::cli {

const Wall kAt = *parse_time("2026-11-24T12:00:00Z");

inline Error missing(const std::string& what) {
  return {Code::kNotFound, what + " not found", 404};
}

inline Error denied(const std::string& what) {
  return {Code::kForbidden, what + " is forbidden", 403};
}

inline Json lease(const std::string& holder, const std::string& renewed) {
  return ::test::parsed("{'spec': {'holderIdentity': '" + holder + "', 'leaseDurationSeconds': 15, 'renewTime': '" +
                        renewed + "'}}");
}

inline kube::VmiView vmi(const std::string& name) {
  kube::VmiView view;
  view.metadata.name = name;
  view.metadata.namespace_ = "prod";
  view.phase = "Running";
  view.agent_connected = true;
  return view;
}

}  // namespace snapfreeze::cli
