#include "test/unit/cli/installed.h"

#include <chrono>
#include <thread>

#include "test/scenarios/runner/objects.h"
#include "test/support/catch.h"

namespace test {

using nlohmann::json;
using snapfreeze::Millis;

namespace {

constexpr Millis kPatience{20000};

}  // namespace

Installed::Installed(bool with_webhook) : sandbox({SNAPFREEZE_SANDBOX, SNAPFREEZE}, 1, false) {
  sandbox.control("POST", "vms", {{"ns", "vms"}, {"name", "db"}, {"disks", 3}});
  sandbox.processes().start("sweeper-0", {});
  sandbox.processes().wait_until_ready("sweeper-0", kPatience);
  wait([&] {
    const std::string leader = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze/leases/snapfreeze-sweeper";
    return sandbox.call("admin", "GET", leader).status == 200;
  });
  if (!with_webhook) return;
  sandbox.processes().start("webhook-0", {});
  sandbox.processes().wait_until_ready("webhook-0", kPatience);
  sandbox.register_webhooks();
  // Webhooks look for a living sweeper every 2 s.
  std::this_thread::sleep_for(Millis(2500));
}

Run Installed::run(const std::string& command, const std::string& user, int patience_s) {
  const auto kubeconfig = sandbox.directory() / (user + ".kubeconfig");
  return snapfreeze(command + " --kubeconfig " + kubeconfig.string(), "", patience_s);
}

void Installed::back_up(const std::string& name, const std::string& vm) {
  runner::Backup backup;
  backup.name = name;
  backup.vm = vm;
  const auto reply = sandbox.call("admin", "POST", runner::collection_path(runner::kBackupsOfHarvester, "vms"),
                                  runner::backup_object(backup));
  REQUIRE(reply.status == 201);
}

bool Installed::wait(const std::function<bool()>& done, Millis patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(Millis(50));
  }
  return true;
}

json Installed::get(const std::string& collection, const std::string& name) {
  return json::parse(sandbox.call("admin", "GET", runner::object_path(collection, "vms", name)).body);
}

std::string Installed::note(const std::string& backup, const std::string& annotation) {
  const json metadata = get(runner::kBackupsOfHarvester, backup).value("metadata", json::object());
  return metadata.value("annotations", json::object()).value(runner::kPrefix + annotation, "");
}

std::string Installed::consistency(const std::string& backup) {
  return note(backup, "consistency");
}

std::string Installed::reason(const std::string& backup) {
  return note(backup, "reason");
}

}  // namespace test
