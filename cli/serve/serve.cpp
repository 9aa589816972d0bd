#include "cli/serve/serve.h"

namespace snapfreeze::cli {

int serve(const CommonOptions& options, const std::function<int(const Surroundings&)>& service) {
  configure_logs(options);
  StopSignals signals;
  SystemClock clock;
  auto connection = connect(options);
  if (!connection) return fail(connection.error());
  const auto name = identity(options);
  if (!name) return fail(name.error());
  kube::HttpsClient& api = *connection->api;
  const auto stop = [&clock, &api] {
    clock.stop();
    api.stop_streams();
  };
  const OnStop on_stop(signals, stop);
  return service({clock, api, connection->own_namespace, *name, stop});
}

}  // namespace snapfreeze::cli
