#include "cli/shared/reach.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/shared/exit_status.h"
#include "cli/shared/process.h"
#include "cli/shared/table.h"
#include "kube/paths.h"

namespace snapfreeze::cli {

void add_admin(CLI::App& app, AdminOptions& options) {
  add_cluster(app, options.connect);
  // Without an environment variable: SNAPFREEZE_NAMESPACE is the namespace of snapfreeze itself.
  app.add_option("-n,--namespace", options.connect.namespace_, "namespace of the VMs; default: that of the context");
  add(app, "--system-namespace", options.system_namespace,
      "namespace of snapfreeze; default: the one that its registration names, or else snapfreeze-system");
}

void add_admin_of_all(CLI::App& app, AdminOptions& options) {
  add_admin(app, options);
  app.add_flag("-A,--all-namespaces", options.all_namespaces, "VMs of all namespaces");
}

CLI::Validator vm_name() {
  const auto refuse = [](const std::string& name) {
    return kube::is_object_name(name) ? "" : "'" + name + "' is not a valid VM name";
  };
  return {refuse, ""};
}

bool wants_colours() {
  const char* const refused = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return isatty(STDOUT_FILENO) == 1 && !dumb && (refused == nullptr || *refused == '\0');
}

Result<Reached> reach(const AdminOptions& options) {
  auto connection = connect(options.connect);
  if (!connection) return connection.error();
  auto found = find_home(*connection->api, options.system_namespace);
  if (!found) {
    Error error = found.error();
    error.message = connection->server + ": " + error.message;
    return error;
  }
  const std::string of_vms = options.all_namespaces ? "" : connection->own_namespace;
  return Reached{std::move(connection->api), of_vms, std::move(*found)};
}

int end_with(const Error& error) {
  std::fprintf(stderr, "snapfreeze: %s\n", printable(error.message).c_str());
  return error.code == Code::kNotFound ? kNotFound : kUnreachable;
}

}  // namespace snapfreeze::cli
