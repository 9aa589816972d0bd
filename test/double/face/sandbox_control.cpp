#include "test/double/face/sandbox_control.h"

#include <csignal>
#include <stdexcept>

#include "test/double/api/fields.h"
#include "test/double/api/status.h"
#include "test/double/face/https_webhook.h"
#include "test/double/face/sandbox_options.h"

namespace cluster {
namespace {

std::vector<std::string> segments(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 1;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

SandboxControl::SandboxControl(Cluster& cluster) : cluster_(cluster) {
  add_guest_actions();
  add_cluster_actions();
  add_questions();
  cluster_.locked([this] {
    cluster_.faults().set_killer([this](const std::string& caller) {
      const int pid = cluster_.locked([&] { return pids_.count(caller) == 0 ? 0 : pids_[caller]; });
      if (pid > 0) ::kill(pid, SIGKILL);
    });
    cluster_.faults().set_stopper([this](const std::string& caller, Millis lasts) {
      const int pid = cluster_.locked([&] { return pids_.count(caller) == 0 ? 0 : pids_[caller]; });
      if (pid <= 0) return;
      ::kill(pid, SIGSTOP);
      cluster_.runtime().spawn("continue " + caller, [this, pid, lasts] {
        cluster_.runtime().sleep_for(lasts);
        ::kill(pid, SIGCONT);
      });
    });
  });
}

Reply SandboxControl::handle(const HttpRequest& request) {
  if (request.caller != "admin") return refuse(403, "Forbidden", "/sandbox/ is for admin, not for " + request.caller);
  try {
    const Json body = request.body.empty() ? Json::object() : Json::parse(request.body);
    if (!body.is_object()) throw std::invalid_argument("the body must be a JSON object");
    const std::vector<std::string> path = segments(request.path);
    if (request.method == "POST" && path.size() == 5 && path[1] == "vms") {
      return json_reply(200, on_guest(path, body).dump());
    }
    std::string name = request.method;
    for (std::size_t i = 1; i < path.size(); ++i) name += (i == 1 ? " " : "/") + path[i];
    const auto action = actions_.find(name);
    if (action == actions_.end()) return refuse(404, "NotFound", "no " + name + " under /sandbox/");
    return json_reply(200, action->second(request, body).dump());
  } catch (const std::out_of_range& error) {
    return refuse(404, "NotFound", error.what());
  } catch (const std::exception& error) {
    return bad_request(error.what());
  }
}

Json SandboxControl::on_guest(const std::vector<std::string>& path, const Json& body) {
  const auto action = guest_actions_.find(path[4]);
  if (action == guest_actions_.end()) throw std::out_of_range("a VM cannot " + path[4]);
  action->second(path[2], path[3], body);
  return Json::object();
}

void SandboxControl::add_guest_actions() {
  Guests& guests = cluster_.guests();
  const auto plain = [&](const char* name, void (Guests::*action)(const std::string&, const std::string&)) {
    guest_actions_[name] = [&guests, action](const std::string& ns, const std::string& vm, const Json& body) {
      Fields().read(body);
      (guests.*action)(ns, vm);
    };
  };
  plain("stop", &Guests::stop);
  plain("start", &Guests::start);
  plain("restart", &Guests::restart);
  plain("pause", &Guests::pause);
  plain("resume", &Guests::resume);
  plain("shut-down-inside", &Guests::shut_down_inside);
  plain("crash", &Guests::crash);
  plain("remove", &Guests::remove);
  plain("recreate", &Guests::recreate);
  guest_actions_["kubevirt-backup"] = [&guests](const std::string& ns, const std::string& vm, const Json& body) {
    Guests::BackupOptions options;
    Fields()
        .field("name", options.name)
        .field("duration", options.duration)
        .field("tracker", options.tracker)
        .field("fails", options.fails)
        .read(body);
    guests.kubevirt_backup(ns, vm, options);
  };
  guest_actions_["migrate"] = [&guests](const std::string& ns, const std::string& vm, const Json& body) {
    Millis duration{2000};
    Fields().field("duration", duration).read(body);
    guests.migrate(ns, vm, duration);
  };
  guest_actions_["agent"] = [&guests](const std::string& ns, const std::string& vm, const Json& body) {
    bool connected = true;
    Fields().field("connected", connected).read(body);
    guests.set_agent(ns, vm, connected);
  };
  guest_actions_["latency"] = [&guests](const std::string& ns, const std::string& vm, const Json& body) {
    Millis freeze{75};
    Millis thaw{15};
    Fields().field("freeze", freeze).field("thaw", thaw).read(body);
    guests.set_latency(ns, vm, freeze, thaw);
  };
  guest_actions_["fault"] = [&guests](const std::string& ns, const std::string& vm, const Json& body) {
    guests.add_fault(ns, vm, guest_fault(body));
  };
  guest_actions_["snapshot"] = [&guests](const std::string& ns, const std::string& vm, const Json& body) {
    std::string name = "snapshot";
    Millis duration{2000};
    Fields().field("name", name).field("duration", duration).read(body);
    guests.vm_snapshot(ns, vm, name, duration);
  };
}

void SandboxControl::add_cluster_actions() {
  actions_["POST namespaces"] = [this](const HttpRequest&, const Json& body) {
    std::string name;
    std::map<std::string, std::string> labels;
    Fields().field("name", name).field("labels", labels).read(body);
    cluster_.add_namespace(name, labels);
    return Json::object();
  };
  actions_["POST vms"] = [this](const HttpRequest&, const Json& body) {
    cluster_.add_vm(vm_options(body));
    return Json::object();
  };
  actions_["POST storage"] = [this](const HttpRequest&, Json body) {
    const std::string ns = body.value("ns", "");
    const std::string pvc = body.value("pvc", "");
    body.erase("ns");
    body.erase("pvc");
    const DiskOptions options = disk_options_from_json(body);
    if (pvc.empty()) {
      cluster_.storage().set_default(options);
    } else {
      cluster_.storage().set_disk(ns, pvc, options);
    }
    return Json::object();
  };
  actions_["POST longhorn"] = [this](const HttpRequest&, const Json& body) {
    std::string mood = "answers";
    Millis lasts{0};
    Fields().field("mood", mood).field("for", lasts).read(body);
    const BackendMood wanted = backend_mood(mood);
    cluster_.locked([&] {
      const Mono now = cluster_.runtime().now();
      cluster_.longhorn().set_mood(wanted, lasts.count() > 0 ? now + lasts : kNever);
    });
    return Json::object();
  };
  actions_["POST harvester"] = [this](const HttpRequest&, const Json& body) {
    cluster_.harvester().set_options(harvester_options(body));
    return Json::object();
  };
  actions_["POST harvester/reconcile"] = [this](const HttpRequest&, const Json& body) {
    std::string ns, name;
    int times = 1;
    Millis every{160};
    Fields().field("ns", ns).field("name", name).field("times", times).field("every", every).read(body);
    cluster_.harvester().reconcile_again(ns, name, times, every);
    return Json::object();
  };
  actions_["POST harvester/restart"] = [this](const HttpRequest&, const Json& body) {
    Fields().read(body);
    cluster_.harvester().restart();
    return Json::object();
  };
  actions_["POST kubevirt"] = [this](const HttpRequest&, const Json& body) {
    int major = 1;
    int minor = 8;
    Fields().field("major", major).field("minor", minor).read(body);
    cluster_.guests().set_version(major, minor);
    return Json::object();
  };
  actions_["POST webhook"] = [this](const HttpRequest&, const Json& body) {
    std::vector<std::shared_ptr<AdmissionTransport>> replicas;
    for (const Json& replica : body.at("replicas")) {
      replicas.push_back(std::make_shared<HttpsWebhook>(replica.value("host", "127.0.0.1"), replica.at("port")));
    }
    cluster_.admission().register_webhook(webhook_options(body), replicas);
    return Json::object();
  };
  actions_["POST admission"] = [this](const HttpRequest&, const Json& body) {
    int rounds = 0;
    Json reject;
    Fields().field("rounds", rounds).field("reject", reject).read(body);
    if (rounds > 0) cluster_.admission().set_rounds(rounds);
    if (!reject.is_null()) {
      cluster_.admission().reject_after_admission(reject.at("ns"), reject.at("name"), reject.value("times", -1));
    }
    return Json::object();
  };
  actions_["POST faults"] = [this](const HttpRequest&, const Json& body) {
    cluster_.add_fault(fault_from_json(body));
    return Json::object();
  };
  actions_["DELETE faults"] = [this](const HttpRequest&, const Json&) {
    cluster_.locked([this] { cluster_.faults().clear(); });
    return Json::object();
  };
  actions_["POST killers"] = [this](const HttpRequest&, const Json& body) {
    const std::string caller = body.at("caller");
    const int pid = body.at("pid");
    cluster_.locked([&] { pids_[caller] = pid; });
    return Json::object();
  };
  actions_["POST access"] = [this](const HttpRequest&, const Json& body) {
    cluster_.locked([&, entry = denial(body)] { cluster_.access().deny(entry); });
    return Json::object();
  };
  actions_["DELETE access"] = [this](const HttpRequest&, const Json&) {
    cluster_.locked([this] { cluster_.access().clear(); });
    return Json::object();
  };
  actions_["POST api"] = [this](const HttpRequest&, const Json& body) {
    change_api(body);
    return Json::object();
  };
  actions_["POST watches"] = [this](const HttpRequest&, const Json& body) {
    cluster_.locked([&] { cluster_.faults().hold_back(holdback(body, cluster_.runtime().now())); });
    return Json::object();
  };
}

void SandboxControl::change_api(const Json& body) {
  Millis down_for{0};
  Millis bookmark_interval{0};
  Millis step_clock{0};
  Millis restore_etcd{0};
  bool compact = false;
  bool expire_watches = false;
  Json serve;
  Fields()
      .field("down_for", down_for)
      .field("bookmark_interval", bookmark_interval)
      .field("step_clock", step_clock)
      .field("restore_etcd", restore_etcd)
      .field("compact", compact)
      .field("expire_watches", expire_watches)
      .field("serve", serve)
      .read(body);
  if (down_for.count() > 0) cluster_.api_down_for(down_for);
  if (bookmark_interval.count() > 0) cluster_.api().set_bookmark_interval(bookmark_interval);
  if (restore_etcd.count() > 0) cluster_.restore_etcd(restore_etcd);
  cluster_.locked([&] {
    cluster_.store().step_clock(step_clock);
    if (compact) cluster_.store().compact();
    if (expire_watches) cluster_.store().expire_watches();
    if (serve.is_null()) return;
    Resources& resources = cluster_.store().resources();
    resources.serve(serve.at("group"), serve.at("resource"), serve.at("served"));
    if (serve.contains("version")) resources.serve_version(serve.at("group"), serve.at("resource"), serve["version"]);
  });
}

void SandboxControl::add_questions() {
  actions_["GET timeline"] = [this](const HttpRequest&, const Json&) {
    return cluster_.locked([this] { return cluster_.truth().timeline_json(); });
  };
  actions_["GET now"] = [this](const HttpRequest&, const Json&) {
    return cluster_.locked([this] { return Json{{"ms", cluster_.truth().since_start(cluster_.runtime().now())}}; });
  };
  actions_["GET guests"] = [this](const HttpRequest&, const Json&) {
    return cluster_.locked([this] { return cluster_.truth().guests_json(); });
  };
  actions_["GET cuts"] = [this](const HttpRequest&, const Json&) {
    return cluster_.locked([this] { return cluster_.truth().cuts_json(); });
  };
  actions_["GET consistency"] = [this](const HttpRequest& request, const Json&) {
    const int disks = std::atoi(request.param("disks").c_str());
    const Consistency found = cluster_.locked(
        [&] { return cluster_.truth().consistency(request.param("ns"), request.param("backup"), disks); });
    return Json{{"cuts", found.cuts},
                {"filesystem", found.filesystem},
                {"offline", found.offline},
                {"last_cut_to_thaw_ms", found.last_cut_to_thaw ? Json(found.last_cut_to_thaw->count()) : Json()},
                {"cut_span_ms", found.cut_span.count()}};
  };
  actions_["GET calls"] = [this](const HttpRequest&, const Json&) {
    return cluster_.locked([this] { return Json(cluster_.faults().ledger()); });
  };
  actions_["DELETE calls"] = [this](const HttpRequest&, const Json&) {
    cluster_.locked([this] { cluster_.faults().clear_ledger(); });
    return Json::object();
  };
}

}  // namespace cluster
