#include "cli/certs/certs_command.h"

#include <chrono>
#include <cstdio>

#include "base/time.h"
#include "certs/bundle.h"
#include "certs/certificates.h"
#include "certs/trust.h"
#include "cli/shared/certificate_options.h"
#include "cli/shared/process.h"
#include "kube/observing_api.h"
#include "kube/server_time.h"
#include "tls/presented.h"

namespace snapfreeze::cli {
namespace {

constexpr char kExamples[] = R"(Examples:
  What is stored, and whether the API server trusts it:
    snapfreeze certs show --namespace snapfreeze-system
  What a webhook serves right now (kubectl port-forward service/snapfreeze-webhook 8443:443):
    snapfreeze certs show --namespace snapfreeze-system \
      --connect 127.0.0.1:8443
  A new CA, for example because somebody saw its Secret:
    snapfreeze certs rotate --namespace snapfreeze-system)";

constexpr Millis kHandshake{5000};

struct CertsCommand {
  ConnectOptions connect;
  CertificateOptions certificates;
  std::string address;
};

struct Installation {
  Connection connection;
  certs::KeeperOptions options;
  certs::Certificates stored;
  Wall now;  // by the API server's clock: a certificate that is not valid there yet helps nobody
};

Result<Installation> look(const CertsCommand& command) {
  auto connection = connect(command.connect);
  if (!connection) return connection.error();
  auto options = keeper_options(command.certificates, connection->own_namespace);
  kube::ServerTime server_time;
  const SystemClock clock;
  kube::ObservingApi api(*connection->api, server_time, clock, [](std::string_view, int) {});
  auto stored = certs::read_stored(api, options.names);
  if (!stored) return stored.error();
  const auto now = server_time.upper_bound(clock.monotonic());
  if (!now) return Error{Code::kTransient, "no reply from the API server has a Date header"};
  return Installation{std::move(connection).value(), std::move(options), std::move(stored).value(), *now};
}

void line(const std::string& what, const std::string& text) {
  std::printf("%-14s%s\n", what.c_str(), text.c_str());
}

std::string describe(const std::string& certificate) {
  if (certificate.empty()) return "none";
  const auto info = certs::inspect(certificate);
  if (!info) return info.error().message;
  return info->subject + ", until " + format_time(info->not_after) + ", serial " + info->serial;
}

// False when an API server would not accept the certificate.
bool show_trust(const certs::Certificates& stored, Wall now) {
  const std::string leaf = stored.serving.entry(certs::kCertificateEntry);
  if (stored.registration.webhooks.empty()) {
    line("API server", "there is no MutatingWebhookConfiguration " + stored.registration.name);
    return false;
  }
  bool all = true;
  for (const auto& webhook : stored.registration.webhooks) {
    const auto accepted = certs::check_trusted(leaf, webhook.bundle, webhook.host, now);
    line("API server", webhook.name + ": " + (accepted ? "trusts the certificate" : accepted.error().message));
    all = all && accepted.ok();
  }
  return all;
}

bool show_served(const std::string& address, const std::string& stored) {
  const auto served = tls::presented_certificate(address, kHandshake);
  line("served", served ? describe(*served) : served.error().message);
  if (!served) return false;
  const auto a = certs::inspect(*served);
  const auto b = certs::inspect(stored);
  const bool same = a && b && a->serial == b->serial;
  if (!same) line("", "not the stored one: the webhook reads a new one within two minutes");
  return same;
}

int show(const CertsCommand& command) {
  const auto all = look(command);
  if (!all) return fail(all.error());
  const certs::Certificates& stored = all->stored;
  const std::string leaf = stored.serving.entry(certs::kCertificateEntry);
  line("CA", describe(stored.ca.entry(certs::kCertificateEntry)));
  if (const auto retired = certs::split_bundle(stored.ca.entry(certs::kRetiredEntry))) {
    for (const std::string& certificate : *retired) line("  before it", describe(certificate));
  }
  line("certificate", describe(leaf));
  if (const auto info = certs::inspect(leaf)) {
    for (const std::string& name : info->names.dns) line("  for", name);
    line("  by", info->issuer);
  }
  bool good = show_trust(stored, all->now);
  if (!command.address.empty()) good = show_served(command.address, leaf) && good;
  return good ? 0 : 1;
}

// For what is written: in another namespace nobody would use it, and what others made is theirs to renew.
Result<Installation> look_at_own(const CertsCommand& command) {
  auto all = look(command);
  if (!all) return all;
  const std::string& here = all->connection.own_namespace;
  for (const auto& webhook : all->stored.registration.webhooks) {
    if (!webhook.host.ends_with(".svc") || webhook.host.ends_with("." + here + ".svc")) continue;
    return Error{Code::kMalformed,
                 "--namespace must name the namespace in which snapfreeze is installed: its webhook is " +
                     webhook.host + ", which is not in " + here};
  }
  for (const auto* secret : {&all->stored.ca, &all->stored.serving}) {
    if (secret->uid.empty() || secret->ours) continue;
    return Error{Code::kMalformed, "Secret " + secret->namespace_ + "/" + secret->name +
                                       " was not made by snapfreeze: who made it has to renew it"};
  }
  return all;
}

int issue(const CertsCommand& command) {
  const auto all = look_at_own(command);
  if (!all) return fail(all.error());
  const std::string ca = all->stored.ca.entry(certs::kCertificateEntry);
  for (const auto& webhook : all->stored.registration.webhooks) {
    if (webhook.bundle.find(ca) != std::string::npos && !ca.empty()) continue;
    return fail({Code::kMalformed, webhook.name +
                                       " does not trust the CA yet, so a certificate signed by it would be refused: "
                                       "the leading sweeper adds it within half a minute"});
  }
  const auto written = certs::write_new_leaf(*all->connection.api, all->stored, all->options.rules.names, all->now);
  if (!written) return fail(written.error());
  std::puts("issued; the webhooks serve it within two minutes");
  return 0;
}

int rotate(const CertsCommand& command) {
  const auto all = look_at_own(command);
  if (!all) return fail(all.error());
  const auto written =
      certs::write_new_ca(*all->connection.api, all->stored, certs::retire(all->stored.state(), all->now), all->now);
  if (!written) return fail(written.error());
  std::puts(
      "A new CA is stored beside the old one. The sweeper publishes it within half a minute, and signs a new "
      "certificate\n"
      "five minutes later. The old CA stays trusted for 30 days, as long as a certificate signed by it may be served.");
  return 0;
}

void add_action(CLI::App& parent, const std::shared_ptr<CertsCommand>& options, Command& chosen,
                const std::string& name, const std::string& help, int (*run)(const CertsCommand&)) {
  CLI::App* command = parent.add_subcommand(name, help);
  add_connect(*command, options->connect);
  add_certificates(*command, options->certificates);
  if (run == show) {
    add(*command, "--connect", options->address, "HOST:PORT of a webhook: also look at what it serves");
  }
  command->callback([options, run, &chosen] { chosen = [options, run] { return run(*options); }; });
}

}  // namespace

void add_certs(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<CertsCommand>();
  CLI::App* command = program.add_subcommand("certs", "Show the webhook's certificates, or have new ones made");
  command->footer(kExamples);
  command->require_subcommand(1);
  add_action(*command, options, chosen, "show",
             "Show what is stored, and whether the API server trusts it; exits with 1 if it does not", show);
  add_action(*command, options, chosen, "issue", "Sign a new serving certificate with the current CA", issue);
  add_action(*command, options, chosen, "rotate", "Make a new CA; the sweeper does the rest", rotate);
}

}  // namespace snapfreeze::cli
