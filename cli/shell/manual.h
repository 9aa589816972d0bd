// The manual page and the shells' completion, made from the same text as --help. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace snapfreeze::cli {

// snapfreeze(1) in man(7)'s macros.
[[nodiscard]] std::string manual_page(const CLI::App& program, const std::string& version);

// `shell` is bash, zsh or fish. Completes commands, options, and the values of options that have a set of them.
[[nodiscard]] std::string completion_script(const CLI::App& program, const std::string& shell);

}  // namespace snapfreeze::cli
