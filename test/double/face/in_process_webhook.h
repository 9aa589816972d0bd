// A webhook replica in the simulation: a function of the product, run in a fiber of its process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "test/double/api/admission.h"

namespace cluster {

class InProcessWebhook : public AdmissionTransport {
 public:
  // `target` is "/mutate?timeout=10s", `body` an AdmissionReview. Runs in a fiber of the process; what it throws is a
  // 500.
  using Handler = std::function<WebhookReply(const std::string& target, const std::string& body)>;

  // The process must outlive it. A dead one refuses connections; one that dies meanwhile breaks them.
  InProcessWebhook(Process& process, Handler handler) : process_(process), handler_(std::move(handler)) {}

  WebhookReply post(const WebhookCall& call) override;

 private:
  Process& process_;
  const Handler handler_;
};

}  // namespace cluster
