#include "test/scenarios/runner/sandbox.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "test/scenarios/runner/controlled_system.h"

namespace runner {
namespace {

using snapfreeze::Millis;

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

snapfreeze::certs::PemPair make_authority() {
  auto authority = snapfreeze::certs::make_ca("sandbox webhook", std::chrono::system_clock::now());
  if (!authority) throw std::runtime_error(authority.error().message);
  return *authority;
}

}  // namespace

Sandbox::Sandbox(Programs programs, std::uint64_t seed, bool keep_files) : keep_files_(keep_files) {
  std::string pattern = (std::filesystem::temp_directory_path() / "snapfreeze-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + pattern);
  directory_ = pattern;
  const std::filesystem::path log = directory_ / "sandbox.log";
  cluster_ = std::make_unique<Child>(
      std::vector<std::string>{programs.sandbox, "--directory", directory_.string(), "--seed", std::to_string(seed)},
      log.string());
  wait_for(programs.sandbox, Millis(20000), [&] {
    if (!cluster_->running()) throw std::runtime_error(programs.sandbox + " ended: " + last_line(log));
    return last_line(log).rfind("ready ", 0) == 0;
  });
  for (const char* user : {"admin", "tenant", "tenant-of-other", "harvester"}) {
    clients_.add(user, (directory_ / (std::string(user) + ".kubeconfig")).string());
  }
  make_certificate();
  processes_ = std::make_unique<Processes>(
      ProcessOptions{programs.snapfreeze, directory_, kOwnNamespace, directory_ / "tls.crt", directory_ / "tls.key"});
}

Sandbox::~Sandbox() {
  processes_->kill_all();
  cluster_->end(Millis(1000));
  std::error_code ignored;
  if (!keep_files_) std::filesystem::remove_all(directory_, ignored);
}

void Sandbox::make_certificate() {
  const auto authority = make_authority();
  const auto pair = snapfreeze::certs::issue_serving(authority, {{"snapfreeze.snapfreeze.svc"}, {}},
                                                     std::chrono::system_clock::now());
  if (!pair) throw std::runtime_error(pair.error().message);
  ca_bundle_ = authority.certificate;
  write_file(directory_ / "tls.crt", pair->certificate);
  write_file(directory_ / "tls.key", pair->key);
}

void Sandbox::register_webhooks(bool wrong_ca) {
  Json replicas = Json::array();
  for (const int port : processes_->webhook_ports()) replicas.push_back({{"host", "127.0.0.1"}, {"port", port}});
  control("POST", "webhook",
          {{"timeout_seconds", kWebhookSeconds},
           {"ca_bundle", wrong_ca ? make_authority().certificate : ca_bundle_},
           {"replicas", replicas}});
}

}  // namespace runner
