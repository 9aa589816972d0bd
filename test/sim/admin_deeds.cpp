#include "test/sim/admin_deeds.h"

#include "cli/drain/drain.h"
#include "cli/thaw/thaw.h"
#include "freeze/lease.h"
#include "test/double/face/in_process_api.h"
#include "test/double/runtime/sim_clock.h"
#include "test/sim/callers.h"
#include "test/sim/history.h"

namespace sim {
namespace {

namespace cli = snapfreeze::cli;
namespace freeze = snapfreeze::freeze;
using Body = cluster::Json;

constexpr Millis kThawCommand{75'000};    // the longest that it lasts
constexpr Millis kDrainPatience{20'000};  // beyond which it waits for admissions only

// An admin's machine.
struct Desk {
  explicit Desk(History& history) : api(history.cluster, kCommandCaller), clock(history.runtime) {}
  cluster::InProcessApi api;
  cluster::SimClock clock;
  freeze::SessionStore sessions{api, kOwnNamespace};
};

void thaw(History& history, const std::string& vm) {
  history.thaw_commands.emplace(vm, history.runtime.now());
  history.runtime.spawn("snapfreeze thaw", [&history, vm] {
    Desk desk(history);
    const auto done = cli::thaw_by_hand({desk.api, desk.clock, desk.sessions},
                                        {kNamespace, vm, {kOwnNamespace, cli::Home::Known::kTold}, "by-hand/desk"});
    history.cluster.locked([&] {
      for (const std::string& words : done.did) history.cluster.truth().note("thaw", kNamespace + ("/" + vm), words);
    });
  });
}

void drain(History& history) {
  history.runtime.spawn("snapfreeze drain", [&history] {
    Desk desk(history);
    (void)cli::drain(desk.api, desk.clock, kOwnNamespace, kDrainPatience, [&](const std::string& words) {
      history.cluster.locked([&] { history.cluster.truth().note("drain", "", words); });
    });
  });
}

// A session of ours, if only its format were ours.
Body newer_lease(const std::string& vm) {
  freeze::Session session;
  session.namespace_ = kNamespace;
  session.vm = vm;
  session.timer = std::chrono::seconds(60);
  Body lease = Body::parse(freeze::to_lease(session, kOwnNamespace).dump());
  lease["metadata"]["annotations"][freeze::kFormat] = std::to_string(freeze::kLeaseFormat + 1);
  return lease;
}

Body nobodys_lease(const std::string& name) {
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", {{"name", name}, {"labels", {{freeze::kSessionLabel, "true"}}}}}};
}

bool is_strange(const Body& lease) {
  return lease["metadata"].value("annotations", Body::object()).value(freeze::kFormat, "") !=
         std::to_string(freeze::kLeaseFormat);
}

}  // namespace

void draw_thaw_command(Dice& dice, Plan& plan) {
  const std::string vm = plan.any_vm(dice);
  const When at = plan.moment(dice);
  plan.hinders_us = true;
  plan.add(at, vm + ": snapfreeze thaw", [=](History& history) { thaw(history, vm); });
  plan.add(at + kThawCommand, "that command has ended", [](History&) {});
}

void draw_drain(Dice& dice, Plan& plan) {
  const When at = plan.moment(dice);
  plan.hinders_us = true;
  plan.add(at, "snapfreeze drain", drain);
  plan.add(at + 3 * kDrainPatience, "the webhook is registered again",
           [](History& history) { history.installation.register_webhooks(); });
}

void draw_strange_lease(Dice& dice, Plan& plan) {
  const When at = plan.moment(dice);
  const Millis lasts = dice.millis(500, 40000);
  const std::string vm = plan.any_vm(dice);
  const bool newer = dice.one_in(2);
  const std::string name = newer ? freeze::lease_name(kNamespace, vm) : "strange-" + std::to_string(plan.events.size());
  const std::string leases = std::string("/apis/coordination.k8s.io/v1/namespaces/") + kOwnNamespace + "/leases";
  plan.hinders_us = true;
  plan.add(at, "an admin creates Lease " + name + (newer ? ", of a newer format" : ", of no guest"),
           [=](History& history) {
             history.strange_leases.insert(name);
             history.records_touched.insert(name);
             history.begin("admin", "POST", leases, newer ? newer_lease(vm) : nobodys_lease(name));
           });
  plan.add(at + lasts, "Lease " + name + " is removed", [=](History& history) {
    history.records_deleted.insert(name);
    history.begin("admin", "DELETE", leases + "/" + name);
  });
}

void remove_strange_leases(History& history) {
  history.cluster.locked([&] {
    auto& store = history.cluster.store();
    const cluster::ResourceType& leases = store.resources().at("coordination.k8s.io", "leases");
    for (const std::string& name : history.strange_leases) {
      const auto lease = store.get(leases, kOwnNamespace, name);
      if (lease != nullptr && is_strange(lease->json)) store.remove(leases, kOwnNamespace, name);
    }
  });
}

}  // namespace sim
