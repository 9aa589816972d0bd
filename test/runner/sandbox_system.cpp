#include "test/runner/sandbox_system.h"

#include <csignal>

#include "test/runner/objects.h"

namespace runner {
namespace {

constexpr Millis kPatience{30000};

}  // namespace

SandboxSystem::~SandboxSystem() {
  for (std::thread& request : requests_) request.join();
}

std::string SandboxSystem::cannot_run(const Scenario& scenario) const {
  const Product& product = scenario.product;
  if (product.webhook_clock != Millis(0) || product.sweeper_clock != Millis(0)) {
    return "processes of one machine have one clock";
  }
  if (product.webhooks > 2 || product.sweepers > 2) return "there are two identities of each kind";
  return "";
}

std::vector<std::string> SandboxSystem::options_of(const std::string& name) const {
  const Product& product = scenario().product;
  if (name.rfind("webhook", 0) == 0) {
    return {"--mode", product.observe ? "observe" : "freeze", "--max-freezes", std::to_string(product.max_freezes)};
  }
  return {"--thaw-on", product.thaw_on_ready ? "ready" : "captured"};
}

void SandboxSystem::start(const Scenario& scenario) {
  sandbox_ = std::make_unique<Sandbox>(programs_, seed_, keep_files_);
  set_up(scenario);
  for (const std::string& name : processes("sweepers")) {
    sandbox_->start(name, options_of(name));
    sandbox_->wait_until_ready(name, kPatience);
  }
  for (const std::string& name : processes("webhooks")) sandbox_->start(name, options_of(name));
  for (const std::string& name : processes("webhooks")) sandbox_->wait_until_ready(name, kPatience);
  if (!processes("webhooks").empty()) sandbox_->register_webhooks();
  // Webhooks look for a sweeper every 2 s.
  std::this_thread::sleep_for(Millis(2500));
  set_start();
  start_ = Clock::now();
}

void SandboxSystem::wait_until(Since time) {
  while (Clock::now() < start_ + time) {
    bury_the_dead();
    std::this_thread::sleep_for(Millis(10));
  }
}

// Kubernetes' part: what died is started again, and what hung goes on.
void SandboxSystem::bury_the_dead() {
  for (auto one = back_after_.begin(); one != back_after_.end();) {
    const bool died = !sandbox_->process(one->first).running();
    if (died && one->second) restart_at_[one->first] = Clock::now() + *one->second;
    one = died ? back_after_.erase(one) : std::next(one);
  }
  for (auto one = restart_at_.begin(); one != restart_at_.end();) {
    const bool due = one->second <= Clock::now();
    if (due) sandbox_->start(one->first, options_of(one->first));
    one = due ? restart_at_.erase(one) : std::next(one);
  }
  for (auto one = go_on_at_.begin(); one != go_on_at_.end();) {
    const bool due = one->second <= Clock::now();
    if (due) sandbox_->process(one->first).signal(SIGCONT);
    one = due ? go_on_at_.erase(one) : std::next(one);
  }
}

void SandboxSystem::kill_process(const std::string& name, std::optional<Millis> back_after) {
  sandbox_->process(name).signal(SIGKILL);
  back_after_[name] = back_after;
}

void SandboxSystem::kill_at_call(const std::string& name, int, std::optional<Millis> back_after) {
  control("POST", "killers", {{"caller", name}, {"pid", sandbox_->process(name).pid()}});
  back_after_[name] = back_after;
}

void SandboxSystem::hang(const std::string& name, Millis lasts) {
  sandbox_->process(name).signal(SIGSTOP);
  go_on_at_[name] = Clock::now() + lasts;
}

Since SandboxSystem::now() const {
  return std::chrono::duration_cast<Since>(Clock::now() - start_);
}

Json SandboxSystem::control(const std::string& method, const std::string& path, const Json& body) {
  return sandbox_->control(method, path, body);
}

void SandboxSystem::request(const std::string& user, const std::string& method, const std::string& target,
                            const Json& body) {
  requests_.emplace_back([this, user, method, target, body] {
    try {
      sandbox_->call(user, method, target, body);
    } catch (const std::exception&) {
      // What becomes of it shows in the cluster.
    }
  });
}

Json SandboxSystem::object(const std::string& collection, const std::string& ns, const std::string& name) {
  const auto reply = sandbox_->call("admin", "GET", object_path(collection, ns, name));
  return reply.status == 200 ? Json::parse(reply.body) : Json();
}

Json SandboxSystem::items(const std::string& collection) {
  const std::size_t slash = collection.rfind('/');
  const std::string target = "/apis/" + collection.substr(0, slash) + collection.substr(slash);
  const auto reply = sandbox_->call("admin", "GET", target);
  if (reply.status != 200) throw std::runtime_error(target + ": " + reply.body);
  return Json::parse(reply.body).at("items");
}

}  // namespace runner
