#include "freeze/calls.h"

#include "base/json.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::freeze {
namespace {

// virt-launcher's text when the guest agent says that VSS released the volumes by itself.
constexpr std::string_view kWindowsLimitText = "fsfreeze is limited up to 10 seconds";

// 408 and 429 come from between us and the launcher, but nobody can tell whether from before or after virt-api.
bool refused(const Error& error) {
  const int http_status = error.http_status;
  if (error.not_sent) return true;
  return http_status >= 400 && http_status < 500 && http_status != 408 && http_status != 429;
}

}  // namespace

FreezeAnswer freeze(kube::KubeApi& api, std::string_view ns, std::string_view vm, std::chrono::seconds timer,
                    Millis timeout, Mono send_by) {
  const Json body = Json::object({{"unfreezeTimeout", std::to_string(timer.count()) + "s"}});
  const auto reply = kube::invoke(api, kube::object_path(kube::kGuestCalls, ns, vm, "freeze"), body, timeout, send_by);
  if (reply) return {FreezeOutcome::kFrozen, "", 200};
  const Error& error = reply.error();
  return {refused(error) ? FreezeOutcome::kRefused : FreezeOutcome::kUnknown, error.message, error.http_status};
}

ThawAnswer unfreeze(kube::KubeApi& api, std::string_view ns, std::string_view vm, Millis timeout, Mono send_by) {
  return thaw_answer(api.call(unfreeze_request(ns, vm, timeout, send_by)));
}

kube::Request unfreeze_request(std::string_view ns, std::string_view vm, Millis timeout, Mono send_by) {
  return kube::invoke_request(kube::object_path(kube::kGuestCalls, ns, vm, "unfreeze"), Json(), timeout, send_by);
}

ThawAnswer thaw_answer(const Result<kube::Response>& reply) {
  const auto success = kube::success_of(reply);
  if (success) return {ThawOutcome::kThawed, "", 200};
  const Error& error = success.error();
  if (error.message.find(kWindowsLimitText) != std::string::npos) {
    return {ThawOutcome::kLapsed, error.message, error.http_status};
  }
  return {refused(error) ? ThawOutcome::kRefused : ThawOutcome::kUnknown, error.message, error.http_status};
}

}  // namespace snapfreeze::freeze
