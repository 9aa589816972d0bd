// The running webhook: the HTTPS edge, admission, the check that a sweeper is alive, the plain port, the drain.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kube/api.h"
#include "tls/context.h"
#include "webhook/admission.h"

namespace snapfreeze::webhook {

struct WebhookOptions {
  std::string address;  // numeric; empty: all
  std::uint16_t port = 8443;
  std::string plain_address;
  std::uint16_t plain_port = 8080;  // /healthz, /readyz, /metrics
  std::string tls_cert;             // paths; both files may be replaced at any time
  std::string tls_key;
  tls::ClientCheck clients;
  std::string own_namespace;  // of the sessions and of the sweepers' leader Lease
  Settings admission;

  // On stop the process is not ready at once, but serves for this long, because the API server's list of endpoints lags
  // behind.
  Millis wind_down{3000};
};

class Service {
 public:
  struct Ports {
    std::uint16_t https = 0;
    std::uint16_t plain = 0;
  };

  // `api` and `clock` outlive this; before it is destroyed the clock must have been asked to stop.
  Service(const WebhookOptions& options, kube::KubeApi& api, Clock& clock);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Listens on both ports when it returns. kMalformed names the option that cannot be used. If the certificate's files
  // are missing or bad, that is logged and they are read again; until then the process is not ready.
  Result<Ports> start();

  // Serves until the clock is asked to stop. Then drains: requests that have begun are answered, within the bound of an
  // admission.
  void run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace snapfreeze::webhook
