#include "cli/shared/certificate_options.h"

#include "cli/shared/options.h"

namespace snapfreeze::cli {

void add_certificates(CLI::App& app, CertificateOptions& options) {
  add(app, "--service", options.service, "the webhook's Service, which the certificate names");
  add(app, "--webhook-configuration", options.names.registration, "the MutatingWebhookConfiguration that gets the CA");
  add(app, "--tls-secret", options.names.serving_secret,
      "Secret of the serving certificate, in snapfreeze's namespace");
  add_seconds(app, "--ca-settles", options.ca_settles, std::chrono::seconds(1), std::chrono::hours(1),
              "how long a new CA is published before a certificate signed by it is served");
  add(app, "--ca-secret", options.names.ca_secret, "Secret of the self-managed CA, in snapfreeze's namespace");
}

namespace {

// Meanwhile backups go on without a freeze. A look is three reads.
constexpr std::chrono::seconds kRepairedWithin{5};

}  // namespace

certs::KeeperOptions keeper_options(const CertificateOptions& options, const std::string& own_namespace) {
  certs::KeeperOptions keeper;
  keeper.look = kRepairedWithin;
  keeper.names = options.names;
  keeper.names.own_namespace = own_namespace;
  keeper.rules.propagation = options.ca_settles;
  const std::string name = options.service + "." + own_namespace + ".svc";
  keeper.rules.names.dns = {name, name + ".cluster.local"};
  return keeper;
}

}  // namespace snapfreeze::cli
