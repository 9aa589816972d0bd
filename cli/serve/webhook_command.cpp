#include "cli/serve/webhook_command.h"

#include "base/file.h"
#include "cli/serve/policy_options.h"
#include "cli/serve/serve.h"
#include "webhook/service.h"

namespace snapfreeze::cli {
namespace {

constexpr char kWebhookExamples[] = R"(Examples:
  In a pod, with its service account and a mounted certificate:
    snapfreeze webhook --tls-cert /tls/tls.crt --tls-key /tls/tls.key
  By hand, deciding and recording, but touching no guest:
    snapfreeze webhook --kubeconfig ~/.kube/config \
      --namespace snapfreeze-system --mode observe \
      --tls-cert tls.crt --tls-key tls.key --log-format text)";

struct WebhookCommand {
  CommonOptions common;
  freeze::Policy policy;
  Listen listen{"", 8443};
  std::string tls_cert;
  std::string tls_key;
  std::string client_ca;
  std::vector<std::string> client_names;
  std::string mode = "freeze";
  int max_freezes = 16;
  Millis drain{3000};
};

int run_webhook(const WebhookCommand& options, const Surroundings& around) {
  webhook::WebhookOptions wanted;
  wanted.address = options.listen.address;
  wanted.port = options.listen.port;
  wanted.plain_address = options.common.status.address;
  wanted.plain_port = options.common.status.port;
  wanted.tls_cert = options.tls_cert;
  wanted.tls_key = options.tls_key;
  if (!options.client_ca.empty()) {
    const auto bundle = read_file(options.client_ca);
    if (!bundle) return fail({bundle.error().code, "--client-ca: " + bundle.error().message});
    wanted.clients = {*bundle, options.client_names};
  }
  wanted.own_namespace = around.own_namespace;
  wanted.wind_down = options.drain;
  wanted.admission.replica = around.identity;
  wanted.admission.policy = options.policy;
  wanted.admission.observe = options.mode == "observe";
  wanted.admission.max_freezes = options.max_freezes;

  webhook::Service service(wanted, around.api, around.clock);
  return run_until_stopped(service, around);
}

}  // namespace

void add_webhook(CLI::App& program, Command& chosen) {
  const auto options = std::make_shared<WebhookCommand>();
  CLI::App* command = program.add_subcommand("webhook", "Freeze guests when their VolumeSnapshots are admitted");
  command->footer(kWebhookExamples);
  add_common(*command, options->common);
  add_listen(*command, "--listen", options->listen, "HTTPS for the API server's admission reviews, at /mutate");
  add(*command, "--tls-cert", options->tls_cert, "PEM file of the serving certificate; may be replaced at any time")
      ->required();
  add(*command, "--tls-key", options->tls_key, "PEM file of its key")->required();
  CLI::Option* const client_ca =
      add(*command, "--client-ca", options->client_ca,
          "PEM file: serve only clients that present a certificate signed by one of these CAs");
  add(*command, "--client-names", options->client_names, "serve only these clients, by common name or DNS name")
      ->delimiter(',')
      ->needs(client_ca);
  add(*command, "--mode", options->mode, "freeze; or observe: decide and record, but touch no guest")
      ->check(CLI::IsMember({"freeze", "observe"}));
  add_timer(*command, options->policy);
  add_max_timer(*command, options->policy);
  add(*command, "--max-freezes", options->max_freezes,
      "how many freezes this replica may begin at the same time; any more are answered busy")
      ->check(whole_number(1, 32));
  add_millis(*command, "--drain", options->drain, Millis(0), std::chrono::minutes(1),
             "how long to go on serving after SIGTERM");
  command->callback([options, &chosen] {
    check_timers(options->policy);
    chosen = [options] {
      return serve(options->common, [&](const Surroundings& around) { return run_webhook(*options, around); });
    };
  });
}

}  // namespace snapfreeze::cli
