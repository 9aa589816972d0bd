// Keeps the certificates valid and trusted by the API server, one step at a time, under the sweeper's leadership. All
// state is in Secrets and in caBundle, so the next leader goes on from there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "certs/certificates.h"
#include "certs/rotation.h"
#include "kube/api.h"
#include "kube/server_time.h"

namespace snapfreeze::certs {

struct KeeperOptions {
  StoredNames names;
  RotationRules rules;
  Millis look{30'000};  // how soon a damaged bundle or Secret is repaired
};

// What a keeper calls. All outlive it.
struct KeeperSeams {
  kube::KubeApi& api;
  Clock& clock;
  const kube::ServerTime& server_time;  // fed by the replies of `api`
  std::function<bool()> leads;          // whether nobody else can write within the next calls
};

struct StepReport {
  Millis wait{};        // before the next step
  std::string done;     // what was written, and why; empty: nothing
  std::string trouble;  // why something could not be read or written; empty: nothing
  std::optional<Wall> ca_not_after;
  std::optional<Wall> serving_not_after;
};

// Not thread-safe.
class Keeper {
 public:
  virtual ~Keeper() = default;

  // Reads, decides, and writes at most once, in at most four calls. Without leadership it makes no call.
  virtual StepReport step() = 0;
};

// Our own CA signs the leaf: see rotation.h. A Secret that is emptied, but not deleted, gets back what it held when the
// keeper last saw all well.
std::unique_ptr<Keeper> make_self_managed(KeeperSeams seams, KeeperOptions options);

// Somebody else writes the serving Secret, which includes ca.crt. Only caBundle is maintained. When ca.crt changes, the
// previous bundle stays trusted beside it until every webhook has had time to read its files again.
std::unique_ptr<Keeper> make_from_secret(KeeperSeams seams, KeeperOptions options);

}  // namespace snapfreeze::certs
