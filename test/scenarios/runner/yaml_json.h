// A part of a scenario file as the JSON that it stands for: what is sent to the API server as it is.
#pragma once

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

namespace runner {

// Plain true, false, null and whole numbers are read as such. Quoted, they are strings, like everything else.
[[nodiscard]] nlohmann::json json_of(const YAML::Node& node);

}  // namespace runner
