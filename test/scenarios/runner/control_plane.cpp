#include "test/scenarios/runner/control_plane.h"

#include <fstream>
#include <stdexcept>

#include "test/scenarios/runner/processes.h"

namespace runner {

using snapfreeze::Millis;

namespace {

constexpr Millis kComesBack{60000};

int read_port(const std::filesystem::path& file) {
  int port = 0;
  if (!(std::ifstream(file) >> port))
    throw std::runtime_error(file.string() + ": up.sh has not started anything there");
  return port;
}

}  // namespace

ControlPlane::ControlPlane(std::filesystem::path directory)
    : directory_(std::move(directory)), port_(read_port(directory_ / "port")) {}

void ControlPlane::interrupt(Millis lasts) {
  const std::string seconds = std::to_string(std::chrono::duration<double>(lasts).count());
  outage_ =
      std::make_unique<Child>(std::vector<std::string>{"/bin/bash", SNAPFREEZE_SOURCE_DIR "/test/real/plane/outage.sh",
                                                       directory_.string(), seconds},
                              file("outage.log"));
}

void ControlPlane::wait_until_back() {
  if (!outage_) return;
  wait_for("the API server, see " + file("outage.log"), kComesBack, [this] { return !outage_->running(); });
  outage_.reset();
}

ControlPlanes::ControlPlanes(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories) free_.push_back(std::make_unique<ControlPlane>(directory));
}

std::shared_ptr<ControlPlane> ControlPlanes::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !free_.empty(); });
  ControlPlane* const taken = free_.back().release();
  free_.pop_back();
  return {taken, [this](ControlPlane* plane) {
            const std::lock_guard back(mutex_);
            free_.emplace_back(plane);
            changed_.notify_one();
          }};
}

}  // namespace runner
