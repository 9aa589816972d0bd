// A replica of the webhook in the simulation.
#pragma once

#include "test/double/face/in_process_webhook.h"
#include "test/sim/process.h"
#include "webhook/handler.h"

namespace runner {

class SimWebhook : public SimProcess {
 public:
  SimWebhook(cluster::Cluster& cluster, const std::string& name, const Product& product);

  std::shared_ptr<cluster::AdmissionTransport> transport() const { return transport_; }

 private:
  void watch_sweeper();
  cluster::WebhookReply answer(const std::string& target, const std::string& body);

  snapfreeze::webhook::Liveness sweeper_;
  snapfreeze::webhook::Admission admission_;
  snapfreeze::webhook::MutateHandler handler_;
  std::shared_ptr<cluster::InProcessWebhook> transport_;
};

}  // namespace runner
