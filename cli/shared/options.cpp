#include "cli/shared/options.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "base/time.h"

namespace snapfreeze::cli {
namespace {

// One text for all durations, so that every refusal names the option, the given value, and what it should be.
template <class Duration>
CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& target, Duration low, Duration high,
                          const std::string& unit, const std::string& help) {
  const auto text = [](Duration value) { return format_duration(std::chrono::duration_cast<Millis>(value)); };
  const std::string range = unit + " from " + text(low) + " to " + text(high);
  const auto parse = [&target, low, high, name, range](const std::string& value) {
    const auto given = parse_duration(value);
    const bool whole = given && std::chrono::duration_cast<Duration>(*given) == *given;
    if (!whole || *given < low || *given > high) {
      throw CLI::ValidationError(name, "'" + value + "' must be " + range + ", such as " +
                                           format_duration(std::chrono::duration_cast<Millis>(target)));
    }
    target = std::chrono::duration_cast<Duration>(*given);
  };
  return app.add_option_function<std::string>(name, parse, help + " (" + range + ")")
      ->envname(environment_name(name))
      ->type_name("DURATION")
      ->default_str(text(target));
}

}  // namespace

std::string environment_name(const std::string& option) {
  std::string name = "SNAPFREEZE_" + option.substr(option.find_first_not_of('-'));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

CLI::Option* add_seconds(CLI::App& app, const std::string& name, std::chrono::seconds& target, std::chrono::seconds low,
                         std::chrono::seconds high, const std::string& help) {
  return add_duration(app, name, target, low, high, "whole seconds", help);
}

CLI::Option* add_millis(CLI::App& app, const std::string& name, Millis& target, Millis low, Millis high,
                        const std::string& help) {
  return add_duration(app, name, target, low, high, "a duration", help);
}

CLI::Validator whole_number(int low, int high) {
  const auto check = [low, high](const std::string& value) -> std::string {
    int number = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, number);
    if (parsed.ec == std::errc{} && parsed.ptr == end && number >= low && number <= high) return "";
    return "'" + value + "' must be a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  };
  return {check, "INT in [" + std::to_string(low) + " - " + std::to_string(high) + "]"};
}

CLI::Option* add_listen(CLI::App& app, const std::string& name, Listen& target, const std::string& help) {
  const auto parse = [&target, name](const std::string& value) {
    const auto colon = value.rfind(':');
    unsigned port = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = colon == std::string::npos ? std::from_chars_result{nullptr, std::errc::invalid_argument}
                                                   : std::from_chars(value.data() + colon + 1, end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || port > 65535) {
      throw CLI::ValidationError(name,
                                 "'" + value + "' must be ADDRESS:PORT or :PORT, such as :8443 or 127.0.0.1:8443");
    }
    target.address = value.substr(0, colon);
    if (target.address.size() > 2 && target.address.front() == '[' && target.address.back() == ']') {
      target.address = target.address.substr(1, target.address.size() - 2);
    }
    target.port = static_cast<std::uint16_t>(port);
  };
  return app.add_option_function<std::string>(name, parse, help)
      ->envname(environment_name(name))
      ->type_name("[ADDRESS]:PORT")
      ->default_str(target.address + ":" + std::to_string(target.port));
}

void add_cluster(CLI::App& app, ConnectOptions& options) {
  add(app, "--kubeconfig", options.kubeconfig,
      "kubeconfig file; default: $KUBECONFIG, the pod's service account, or ~/.kube/config");
  add(app, "--context", options.context, "context of the kubeconfig; default: the current one");
}

void add_connect(CLI::App& app, ConnectOptions& options) {
  add_cluster(app, options);
  add(app, "--namespace", options.namespace_, "snapfreeze's own; default: that of the service account or context");
}

void add_common(CLI::App& app, CommonOptions& options) {
  add_connect(app, options);
  add(app, "--identity", options.identity, "unique among the replicas; default: the host's name");
  add(app, "--log-format", options.log_format, "json, or text for people")->check(CLI::IsMember({"json", "text"}));
  add(app, "--log-level", options.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  add_listen(app, "--status-listen", options.status, "plain HTTP for /healthz, /readyz and /metrics");
}

void configure_logs(const CommonOptions& options) {
  const auto level = options.log_level == "debug"     ? log::Level::kDebug
                     : options.log_level == "warning" ? log::Level::kWarning
                     : options.log_level == "error"   ? log::Level::kError
                                                      : log::Level::kInfo;
  log::configure(options.log_format == "text" ? log::Format::kText : log::Format::kJson, level);
}

}  // namespace snapfreeze::cli
