// snapfreeze, installed on the embedded cluster as processes that speak TLS, with one VM "vms/db" of three disks.
#pragma once

#include <functional>
#include <string>

#include "test/scenarios/runner/sandbox.h"
#include "test/unit/cli/program.h"

namespace test {

// The webhook's, at the API server.
inline constexpr char kRegistration[] =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/snapfreeze";

class Installed {
 public:
  // `with_webhook`: otherwise only the sweeper runs, and nobody is registered.
  explicit Installed(bool with_webhook = true);

  // Calls it as the user of that kubeconfig.
  Run run(const std::string& command, const std::string& user = "admin", int patience_s = 20);
  void back_up(const std::string& name, const std::string& vm = "db");
  // Tries again until `done` holds, for `patience` at most; whether it does.
  bool wait(const std::function<bool()>& done, snapfreeze::Millis patience = snapfreeze::Millis(20000));
  nlohmann::json get(const std::string& collection, const std::string& name);
  // "" as long as there is none.
  std::string consistency(const std::string& backup);
  std::string reason(const std::string& backup);

  runner::Sandbox sandbox;

 private:
  std::string note(const std::string& backup, const std::string& annotation);
};

}  // namespace test
