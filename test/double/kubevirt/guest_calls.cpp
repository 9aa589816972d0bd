// Freeze and unfreeze, from virt-api through the launcher to the guest's agent.
#include "test/double/api/duration.h"
#include "test/double/api/part.h"
#include "test/double/api/status.h"
#include "test/double/api/store.h"
#include "test/double/kubevirt/guest.h"

namespace cluster {
namespace {

using namespace std::chrono_literals;

constexpr auto kVirtApiGivesUp = 10s;
constexpr auto kLauncherGivesUp = 60s;
constexpr auto kAgentStatus = 2ms;  // asking the agent whether it is frozen
constexpr auto kPausedRetry = 500ms;

constexpr const char* kVssText = "fsfreeze is limited up to 10 seconds";

Reply virt_api_error(int status, const char* reason, const std::string& message) {
  return refuse(status, reason, message);
}

// The seconds of {"unfreezeTimeout": ...}; a fraction is cut off.
std::optional<std::chrono::seconds> unfreeze_timeout(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("unfreezeTimeout") || !json["unfreezeTimeout"].is_string()) {
    return std::nullopt;
  }
  const auto duration = parse_go_duration(json["unfreezeTimeout"].get<std::string>());
  if (!duration) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(*duration);
}

}  // namespace

Reply Guests::subresource(const HttpRequest& request, const std::string& ns, const std::string& name,
                          const std::string& operation) {
  Lock lock = runtime_.lock();
  truth_.note("call", ns + "/" + name,
              operation + (request.body.empty() ? "" : " " + request.body) + " by " + request.caller);
  const auto found = guests_.find(ns + "/" + name);
  const ObjectRef vmi = store_.get(store_.resources().at("kubevirt.io", "virtualmachineinstances"), ns, name);
  if (found == guests_.end() || vmi == nullptr) {
    return not_found(store_.resources().at("kubevirt.io", "virtualmachineinstances"), name);
  }
  const GuestRef guest = found->second;
  std::chrono::seconds timeout{0};
  if (operation == "freeze") {
    const auto seconds = unfreeze_timeout(request.body);
    if (!seconds) return virt_api_error(400, "BadRequest", "unfreezeTimeout is missing or not a duration");
    timeout = *seconds;
  }
  if (!guest->powered || part(vmi->json, "status").value("phase", "") != "Running") {
    return virt_api_error(
        409, "Conflict",
        "Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io \"" + name + "\": VMI is not running");
  }
  if (operation == "freeze" && guest->migrating) {
    return virt_api_error(
        409, "Conflict",
        "Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io \"" + name + "\": VMI is being migrated");
  }
  const CallRef call = begin(guest, operation, request.caller, timeout);
  if (!runtime_.wait_until(lock, answered_, call->begun + kVirtApiGivesUp, [&] { return call->done; })) {
    truth_.note("reply", guest->key, operation + " timed out");
    return virt_api_error(500, "InternalError",
                          "Internal error occurred: context deadline exceeded (Client.Timeout "
                          "exceeded while awaiting headers)");
  }
  truth_.note("reply", guest->key, operation + " " + std::to_string(call->status) + " " + call->message);
  if (call->status == 202) {
    Reply accepted;
    accepted.status = 202;
    return accepted;
  }
  return virt_api_error(call->status, "InternalError", "Internal error occurred: " + call->message);
}

Guests::CallRef Guests::begin(const GuestRef& guest, const std::string& operation, const std::string& by,
                              std::chrono::seconds timeout) {
  const auto call = std::make_shared<Call>();
  call->operation = operation;
  call->by = by;
  call->timeout = timeout;
  call->boot = guest->boot;
  call->begun = runtime_.now();
  for (std::size_t i = 0; i < guest->faults.size(); ++i) {
    const GuestFault& fault = guest->faults[i];
    if (fault.operation != operation || (!fault.caller.empty() && fault.caller != by)) continue;
    const int seen = ++guest->faults_seen[i];
    if (seen >= fault.nth && (fault.count < 0 || seen < fault.nth + fault.count)) call->fault = fault;
  }
  const Millis delay = call->fault ? call->fault->delay : Millis(0);
  if (delay > Millis(0)) call->by += " (late)";
  if (delay > kLauncherGivesUp) return call;
  agenda_.after(delay, [this, guest, call] { launcher_takes(guest, call); });
  return call;
}

void Guests::launcher_takes(const GuestRef& guest, const CallRef& call) {
  if (call->operation == "unfreeze" && !call->cancelled_timer && guest->boot == call->boot) {
    call->cancelled_timer = true;
    ++guest->timer;
  }
  agent_begins(guest, call);
}

void Guests::agent_begins(const GuestRef& guest, const CallRef& call) {
  if (guest->boot != call->boot || !guest->powered) return finish(call, 500, "the domain is gone");
  if (!guest->agent) return finish(call, 500, "Guest agent is not responding: QEMU guest agent is not connected");
  const auto again = [this, guest, call] { agent_begins(guest, call); };
  if (guest->paused) {
    if (runtime_.now() - call->begun > kLauncherGivesUp) return finish(call, 500, "Guest agent is not responding");
    return agenda_.after(kPausedRetry, again);
  }
  if (guest->agent_free > runtime_.now()) return agenda_.at(guest->agent_free, again);
  const bool nothing_to_do = guest->agent_says_frozen == (call->operation == "freeze");
  const bool fails = call->fault && call->fault->kind != GuestFaultKind::kLate;
  if (nothing_to_do && !fails) {
    return agenda_.after(kAgentStatus, [this, call] { finish(call, 202, ""); });
  }
  const Millis takes = call->operation == "freeze" ? guest->options.freeze_latency : guest->options.thaw_latency;
  guest->agent_free = runtime_.now() + takes;
  call->resets = guest->resets;
  agenda_.at(guest->agent_free, [this, guest, call] { agent_ends(guest, call); });
}

void Guests::agent_ends(const GuestRef& guest, const CallRef& call) {
  if (guest->boot != call->boot || !guest->powered) return finish(call, 500, "the domain is gone");
  const bool same_agent = guest->resets == call->resets;
  if (!guest->agent || !same_agent) return finish(call, 500, "Guest agent disappeared while executing command");
  if (call->fault && call->fault->kind == GuestFaultKind::kHalfway) mark_frozen(guest, call, false);
  if (call->fault && call->fault->kind != GuestFaultKind::kLate) {
    return finish(call, 500,
                  "internal error: unable to execute QEMU agent command 'guest-fsfreeze-" +
                      std::string(call->operation == "freeze" ? "freeze" : "thaw") + "'");
  }
  return call->operation == "freeze" ? freeze(guest, call) : thaw(guest, call);
}

void Guests::freeze(const GuestRef& guest, const CallRef& call) {
  mark_frozen(guest, call, true);
  if (call->timeout.count() != 0) arm_timer(guest, call->timeout);
  finish(call, 202, "");
}

void Guests::thaw(const GuestRef& guest, const CallRef& call) {
  const bool gave_up = guest->vss_gave_up;
  guest->agent_says_frozen = guest->vss_gave_up = false;
  truth_.thawed(guest->key, call->by);
  poll_soon(guest);
  finish(call, gave_up ? 500 : 202, gave_up ? std::string("guest agent command failed: ") + kVssText : "");
}

void Guests::mark_frozen(const GuestRef& guest, const CallRef& call, bool whole) {
  guest->agent_says_frozen = true;
  truth_.froze(guest->key, call->by, whole);
  poll_soon(guest);
  if (!guest->options.windows) return;
  agenda_.after(guest->options.vss_limit, [this, guest, boot = guest->boot, number = ++guest->freezes] {
    if (guest->boot != boot || guest->freezes != number || !guest->agent_says_frozen) return;
    guest->vss_gave_up = true;
    truth_.thawed(guest->key, "vss");
  });
}

void Guests::arm_timer(const GuestRef& guest, std::chrono::seconds timeout) {
  agenda_.after(timeout, [this, guest, number = ++guest->timer, boot = guest->boot] {
    if (guest->timer == number && guest->boot == boot) begin(guest, "unfreeze", "timer", 0s);
  });
}

void Guests::finish(const CallRef& call, int status, std::string message) {
  call->done = true;
  call->status = status;
  call->message = std::move(message);
  runtime_.wake(answered_);
}

}  // namespace cluster
