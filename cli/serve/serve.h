// What webhook and sweeper have in common: how they begin, and how a signal ends them.
#pragma once

#include <functional>
#include <string>

#include "cli/shared/process.h"

namespace snapfreeze::cli {

struct Surroundings {
  SystemClock& clock;
  kube::HttpsClient& api;
  std::string own_namespace;
  std::string identity;
  std::function<void()> stop;  // what a signal does: it ends every wait and every stream
};

// Sets up logs, signals and the client, and runs `service` in them. Returns the exit status.
int serve(const CommonOptions& options, const std::function<int(const Surroundings&)>& service);

// Starts the service and runs it until a signal.
template <class Service>
int run_until_stopped(Service& service, const Surroundings& around) {
  if (const auto started = service.start(); !started) {
    around.stop();  // the threads that it did start
    return fail(started.error());
  }
  service.run();
  return 0;
}

}  // namespace snapfreeze::cli
