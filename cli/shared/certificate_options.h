// Where certificates are stored, and for which names: the same for the sweeper that keeps them and for an admin.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "certs/keeper.h"

namespace snapfreeze::cli {

struct CertificateOptions {
  certs::StoredNames names;
  std::string service = "snapfreeze-webhook";
  std::chrono::seconds ca_settles{300};
};
void add_certificates(CLI::App& app, CertificateOptions& options);

// The names by which an API server, or anyone in the cluster, reaches the Service.
[[nodiscard]] certs::KeeperOptions keeper_options(const CertificateOptions& options, const std::string& own_namespace);

}  // namespace snapfreeze::cli
