// A replica of the webhook in the simulation.
#pragma once

#include "test/double/face/in_process_webhook.h"
#include "test/sim/process.h"
#include "webhook/handler.h"

namespace sim {

struct WebhookProcessOptions {
  snapfreeze::webhook::Settings settings;  // the replica's name is the process's
  Millis clock_offset{0};
};

class WebhookProcess : public Process {
 public:
  WebhookProcess(cluster::Cluster& cluster, const std::string& name, Record& record,
                 const WebhookProcessOptions& options);

  // Answers what it was asked before.
  void terminate() override;

  // How the API server reaches it; it must not be called any more once this is destroyed.
  [[nodiscard]] std::shared_ptr<cluster::AdmissionTransport> transport() const { return transport_; }

 private:
  void follow_leader();
  cluster::WebhookReply answer(const std::string& target, const std::string& body);

  snapfreeze::webhook::Liveness sweeper_;
  snapfreeze::webhook::Admission admission_;
  snapfreeze::webhook::MutateHandler handler_;
  std::shared_ptr<cluster::InProcessWebhook> transport_;
};

}  // namespace sim
