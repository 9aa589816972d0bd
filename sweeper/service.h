// The sweeper as it runs: watches, election, planner and workers, and the plain port.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "certs/keeper.h"
#include "freeze/policy.h"
#include "kube/api.h"
#include "sweeper/facts.h"

namespace snapfreeze::sweeper {

struct SweeperOptions {
  std::string plain_address;        // numeric; empty: all
  std::uint16_t plain_port = 8080;  // /healthz, /readyz, /metrics
  std::string own_namespace;        // of the sessions and of the leader Lease
  std::string identity;             // of this process: a random part is added, as a restarted one is another
  freeze::Policy policy;
  ThawOn thaw_on = ThawOn::kCaptured;
  bool rescue = true;        // thaw guests that Harvester has left frozen
  int workers = 8;           // jobs at once, at least 2
  std::string longhorn_url;  // of Longhorn's REST API, "http://host:port"; empty: it is not asked
  enum class CertificatesFrom { kSelfManaged, kSecret, kElsewhere };
  CertificatesFrom certificates_from = CertificatesFrom::kSelfManaged;
  certs::KeeperOptions certificates;  // unless from elsewhere, which keeps Secret and caBundle itself
};

class Service {
 public:
  // `api` and `clock` outlive this. When the clock is asked to stop, the running streams of `api` must be ended too
  // (HttpsClient::stop_streams), before this is destroyed.
  Service(const SweeperOptions& options, kube::KubeApi& api, Clock& clock);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Listens when it returns; the value is the plain port. kMalformed names the option that cannot be used.
  Result<std::uint16_t> start();

  // Until the clock is asked to stop; then brings to an end what has begun, and lets another sweeper lead: 20 s at
  // most.
  void run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace snapfreeze::sweeper
