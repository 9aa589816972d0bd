// Options that the subcommands share. An environment variable can set each of them.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "freeze/policy.h"

namespace snapfreeze::cli {

[[nodiscard]] std::string environment_name(const std::string& option);

// Adds `--name`, also read from SNAPFREEZE_NAME.
template <class T>
CLI::Option* add(CLI::App& app, const std::string& name, T& target, const std::string& help) {
  return app.add_option(name, target, help)->envname(environment_name(name))->capture_default_str();
}

// Durations as Go writes them ("30s", "1m30s"). A value outside [low, high] is refused with the option's name.
CLI::Option* add_seconds(CLI::App& app, const std::string& name, std::chrono::seconds& target, std::chrono::seconds low,
                         std::chrono::seconds high, const std::string& help);
CLI::Option* add_millis(CLI::App& app, const std::string& name, Millis& target, Millis low, Millis high,
                        const std::string& help);

// For check(). The wording of CLI11's own Range differs between versions.
[[nodiscard]] CLI::Validator whole_number(int low, int high);

// "address:port", ":port" for all addresses, "[::1]:port".
struct Listen {
  std::string address;
  std::uint16_t port = 0;
};
CLI::Option* add_listen(CLI::App& app, const std::string& name, Listen& target, const std::string& help);

struct ConnectOptions {
  std::string kubeconfig;
  std::string context;
  std::string namespace_;  // "": that of the service account or the context
};
// All but the namespace.
void add_cluster(CLI::App& app, ConnectOptions& options);
void add_connect(CLI::App& app, ConnectOptions& options);

struct CommonOptions : ConnectOptions {
  std::string identity;  // "": the host's name
  std::string log_format = "json";
  std::string log_level = "info";
  Listen status{"", 8080};  // /healthz, /readyz, /metrics
};
void add_common(CLI::App& app, CommonOptions& options);

// Sets up logs.
void configure_logs(const CommonOptions& options);

}  // namespace snapfreeze::cli
