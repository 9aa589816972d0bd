// The manual page, made from the same text as --help. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace snapfreeze::cli {

// snapfreeze(1) in man(7)'s macros.
[[nodiscard]] std::string manual_page(const CLI::App& program, const std::string& version);

}  // namespace snapfreeze::cli
