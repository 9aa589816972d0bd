// The shells' completion, made from the same text as --help. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace snapfreeze::cli {

// `shell` is bash, zsh or fish. Completes commands, options, and the values of options that have a set of them.
[[nodiscard]] std::string completion_script(const CLI::App& program, const std::string& shell);

}  // namespace snapfreeze::cli
