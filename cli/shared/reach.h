// What the commands for people share: which cluster, and whose VMs.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/shared/home.h"
#include "cli/shared/options.h"
#include "kube/https_client.h"

namespace snapfreeze::cli {

struct AdminOptions {
  ConnectOptions connect;  // namespace_: of the VMs; "": that of the context
  bool all_namespaces = false;
  std::string system_namespace;  // "": to be found
};
void add_admin(CLI::App& app, AdminOptions& options);
// Adds -A, too.
void add_admin_of_all(CLI::App& app, AdminOptions& options);

// Refuses a text that cannot be the name of an object.
[[nodiscard]] CLI::Validator vm_name();

// Whether stdout is a terminal that wants colours: https://no-color.org.
[[nodiscard]] bool wants_colours();

struct Reached {
  std::unique_ptr<kube::HttpsClient> api;
  std::string namespace_;  // of the VMs; "": all
  Home home;
};
Result<Reached> reach(const AdminOptions& options);

// Says on stderr what is wrong. Returns the exit status for it.
int end_with(const Error& error);

}  // namespace snapfreeze::cli
