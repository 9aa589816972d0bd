#include "test/scenarios/runner/process_system.h"

#include <csignal>

#include "test/scenarios/runner/objects.h"

namespace runner {
namespace {

constexpr Millis kPatience{30000};

}  // namespace

ProcessSystem::~ProcessSystem() {
  finish_requests();
}

void ProcessSystem::finish_requests() {
  for (std::thread& request : requests_) request.join();
  requests_.clear();
}

std::string ProcessSystem::cannot_run(const Scenario& scenario) const {
  const Product& product = scenario.product;
  if (product.webhook_clock != Millis(0) || product.sweeper_clock != Millis(0)) {
    return "processes of one machine have one clock";
  }
  const auto unknown = [](const std::string& user) {
    return user.rfind("tenant-of-", 0) == 0 && user != "tenant-of-other";
  };
  for (const Event& event : scenario.events) {
    if (event.before_call > 0) return "a process cannot be stopped between two of its instructions";
    if (unknown(event.by)) return "there is no user " + event.by;
  }
  for (const Snapshot& snapshot : scenario.snapshots) {
    if (unknown(snapshot.by)) return "there is no user " + snapshot.by;
  }
  if (product.webhooks > 2 || product.sweepers > 2) return "there are two identities of each kind";
  return "";
}

// Only what a scenario asks for: the others run with the defaults, as an admin does.
std::vector<std::string> ProcessSystem::options_of(const std::string& name) const {
  const Product& product = scenario().product;
  std::vector<std::string> options;
  if (name.rfind("webhook", 0) == 0) {
    if (product.observe) options.insert(options.end(), {"--mode", "observe"});
    if (product.max_freezes != Product().max_freezes) {
      options.insert(options.end(), {"--max-freezes", std::to_string(product.max_freezes)});
    }
  } else {
    if (product.thaw_on_ready) options.insert(options.end(), {"--thaw-on", "ready"});
    if (product.longhorn_url) options.insert(options.end(), {"--longhorn-url", longhorn_url()});
  }
  return options;
}

void ProcessSystem::start_all(const std::string& kinds) {
  for (const std::string& name : processes(kinds)) own().start(name, options_of(name));
  for (const std::string& name : processes(kinds)) own().wait_until_ready(name, kPatience);
}

void ProcessSystem::start_clock() {
  // Webhooks look for a sweeper every 2 s.
  std::this_thread::sleep_for(Millis(2500));
  set_start();
  start_ = Clock::now();
}

void ProcessSystem::wait_until(Since time) {
  while (Clock::now() < start_ + time) {
    bury_the_dead();
    std::this_thread::sleep_for(Millis(10));
  }
}

// Kubernetes' part: what died is started again, and what hung goes on.
void ProcessSystem::bury_the_dead() {
  for (auto one = back_after_.begin(); one != back_after_.end();) {
    const bool died = !own().at(one->first).running();
    if (died && one->second) restart_at_[one->first] = Clock::now() + *one->second;
    one = died ? back_after_.erase(one) : std::next(one);
  }
  for (auto one = restart_at_.begin(); one != restart_at_.end();) {
    const bool due = one->second <= Clock::now();
    if (due) own().start(one->first, options_of(one->first));
    one = due ? restart_at_.erase(one) : std::next(one);
  }
  for (auto one = go_on_at_.begin(); one != go_on_at_.end();) {
    const bool due = one->second <= Clock::now();
    if (due) own().at(one->first).signal(SIGCONT);
    one = due ? go_on_at_.erase(one) : std::next(one);
  }
}

void ProcessSystem::kill_process(const std::string& name, std::optional<Millis> back_after) {
  own().at(name).signal(SIGKILL);
  comes_back(name, back_after);
}

void ProcessSystem::hang_process(const std::string& name, Millis lasts) {
  own().at(name).signal(SIGSTOP);
  go_on_at_[name] = Clock::now() + lasts;
}

Since ProcessSystem::now() const {
  return std::chrono::duration_cast<Since>(Clock::now() - start_);
}

void ProcessSystem::request(const std::string& user, const std::string& method, const std::string& target,
                            const Json& body) {
  requests_.emplace_back([this, user, method, target, body] {
    try {
      call(user, method, target, body);
    } catch (const std::exception&) {
      // What becomes of it shows in the cluster.
    }
  });
}

nlohmann::json ProcessSystem::object(const std::string& collection, const std::string& ns, const std::string& name) {
  const auto reply = call("admin", "GET", object_path(collection, ns, name), Json());
  return reply.status == 200 ? Json::parse(reply.body) : Json();
}

nlohmann::json ProcessSystem::items(const std::string& collection) {
  const std::string target = collection_path(collection, "");
  const auto reply = call("admin", "GET", target, Json());
  if (reply.status != 200) throw std::runtime_error(target + ": " + reply.body);
  return Json::parse(reply.body).at("items");
}

}  // namespace runner
