#include "test/scenarios/runner/sandbox_system.h"

namespace runner {

void SandboxSystem::start(const Scenario& scenario) {
  sandbox_ = std::make_unique<Sandbox>(programs_, seed_, keep_files_);
  set_up(scenario);
  // One after the other: the first is the leader.
  for (const std::string& name : processes("sweepers")) start_all(name);
  start_all("webhooks");
  if (!processes("webhooks").empty()) sandbox_->register_webhooks(scenario.wrong_ca);
  start_clock();
}

void SandboxSystem::kill_at_call(const std::string& name, int, std::optional<Millis> back_after) {
  control("POST", "killers", {{"caller", name}, {"pid", own().at(name).pid()}});
  comes_back(name, back_after);
}

void SandboxSystem::hang_at_call(const std::string& name, const Event& event) {
  control("POST", "killers", {{"caller", name}, {"pid", own().at(name).pid()}});
  control("POST", "faults",
          {{"kind", "stop-after"}, {"caller", name}, {"nth", event.after_call}, {"delay", event.lasts.count()}});
}

}  // namespace runner
