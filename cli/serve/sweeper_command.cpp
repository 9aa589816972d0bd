#include "cli/serve/sweeper_command.h"

#include "cli/serve/policy_options.h"
#include "cli/serve/serve.h"
#include "cli/shared/certificate_options.h"
#include "sweeper/service.h"

namespace snapfreeze::cli {
namespace {

constexpr char kSweeperExamples[] = R"(Examples:
  In a pod, with its service account:
    snapfreeze sweeper
  By hand, and thawing only when the storage reports each snapshot ready to use:
    snapfreeze sweeper --kubeconfig ~/.kube/config \
      --namespace snapfreeze-system --thaw-on ready --log-format text)";

struct SweeperCommand {
  CommonOptions common;
  freeze::Policy policy;
  std::string thaw_on = "captured";
  bool rescue = true;
  int workers = 8;
  std::string longhorn_url;
  std::string certificates_from = "self";
  CertificateOptions certificates;
};

sweeper::SweeperOptions::CertificatesFrom source_of(const std::string& name) {
  using From = sweeper::SweeperOptions::CertificatesFrom;
  return name == "secret" ? From::kSecret : name == "elsewhere" ? From::kElsewhere : From::kSelfManaged;
}

int run_sweeper(const SweeperCommand& options, const Surroundings& around) {
  sweeper::SweeperOptions wanted;
  wanted.plain_address = options.common.status.address;
  wanted.plain_port = options.common.status.port;
  wanted.own_namespace = around.own_namespace;
  wanted.identity = around.identity;
  wanted.policy = options.policy;
  wanted.thaw_on = options.thaw_on == "ready" ? sweeper::ThawOn::kReady : sweeper::ThawOn::kCaptured;
  wanted.rescue = options.rescue;
  wanted.workers = options.workers;
  wanted.longhorn_url = options.longhorn_url;
  wanted.certificates_from = source_of(options.certificates_from);
  wanted.certificates = keeper_options(options.certificates, around.own_namespace);

  sweeper::Service service(wanted, around.api, around.clock);
  return run_until_stopped(service, around);
}

}  // namespace

void add_sweeper(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<SweeperCommand>();
  CLI::App* command = program.add_subcommand("sweeper", "Thaw guests once their disks are captured, and judge backups");
  command->footer(kSweeperExamples);
  add_common(*command, options->common);
  add(*command, "--thaw-on", options->thaw_on,
      "captured; or ready: wait until the storage reports each snapshot ready to use")
      ->check(CLI::IsMember({"captured", "ready"}));
  add(*command, "--rescue", options->rescue, "thaw guests that Harvester has left frozen");
  add_max_timer(*command, options->policy);
  add_proof(*command, options->policy);
  add(*command, "--certificates-from", options->certificates_from,
      "self: our own CA; secret: yours, with ca.crt in it; elsewhere: whatever writes the Secret also maintains "
      "caBundle, "
      "as "
      "cert-manager does")
      ->check(CLI::IsMember({"self", "secret", "elsewhere"}));
  add_certificates(*command, options->certificates);
  add(*command, "--workers", options->workers, "how many calls may run at the same time")->check(whole_number(2, 64));
  add(*command, "--longhorn-url", options->longhorn_url,
      "Longhorn's REST API, as in http://longhorn-backend.longhorn-system:9500. Guests thaw as soon as it says that "
      "their disks are cut. Empty: it is not asked");
  command->callback([options, &chosen] {
    chosen = [options] {
      return serve(options->common, [&](const Surroundings& around) { return run_sweeper(*options, around); });
    };
  });
}

}  // namespace snapfreeze::cli
