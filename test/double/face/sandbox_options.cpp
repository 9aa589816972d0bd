#include "test/double/face/sandbox_options.h"

#include "test/double/api/fields.h"

namespace cluster {

GuestFault guest_fault(const Json& body) {
  GuestFault fault;
  Fields()
      .field("operation", fault.operation, {{"freeze", std::string("freeze")}, {"unfreeze", std::string("unfreeze")}})
      .field("kind", fault.kind,
             {{"fail", GuestFaultKind::kFail}, {"halfway", GuestFaultKind::kHalfway}, {"late", GuestFaultKind::kLate}})
      .field("nth", fault.nth)
      .field("count", fault.count)
      .field("delay", fault.delay)
      .field("caller", fault.caller)
      .read(body);
  return fault;
}

VmOptions vm_options(const Json& body) {
  VmOptions options;
  Fields()
      .field("ns", options.ns)
      .field("name", options.name)
      .field("disks", options.disks)
      .field("hot_plugged", options.hot_plugged)
      .field("shares", options.shares)
      .field("running", options.running)
      .field("ended", options.ended,
             {{"", std::string()}, {"Succeeded", std::string("Succeeded")}, {"Failed", std::string("Failed")}})
      .field("agent", options.agent)
      .field("windows", options.windows)
      .field("freeze_command", options.freeze_command)
      .field("freeze_latency", options.freeze_latency)
      .field("thaw_latency", options.thaw_latency)
      .field("annotations", options.annotations)
      .read(body);
  return options;
}

Denial denial(const Json& body) {
  Denial read;
  Fields()
      .field("user", read.user)
      .field("verb", read.verb)
      .field("group", read.group)
      .field("resource", read.resource)
      .field("ns", read.ns)
      .field("name", read.name)
      .read(body);
  return read;
}

HarvesterOptions harvester_options(const Json& body) {
  HarvesterOptions options;
  Fields()
      .field("freeze_to_create_low", options.freeze_to_create_low)
      .field("freeze_to_create_high", options.freeze_to_create_high)
      .field("between_disks_low", options.between_disks_low)
      .field("between_disks_high", options.between_disks_high)
      .field("freeze_tries", options.freeze_tries)
      .field("create_twice", options.create_twice)
      .field("disks_first", options.disks_first)
      .field("later", options.later)
      .field("in_order", options.in_order)
      .field("stops_at_failure", options.stops_at_failure)
      .field("retries", options.retries)
      .field("retry_every", options.retry_every)
      .read(body);
  return options;
}

Holdback holdback(const Json& body, Mono now) {
  Holdback read;
  std::string collection;
  Millis lasts{0};
  std::optional<std::int64_t> late_by;
  Fields()
      .field("caller", read.caller)
      .field("collection", collection)
      .field("for", lasts)
      .field("late_by", late_by)
      .read(body);
  if (!collection.empty()) read.path = "/" + collection;
  read.from = now;
  if (lasts.count() > 0) read.until = now + lasts;
  if (late_by) read.late_by = Millis(*late_by);
  return read;
}

WebhookOptions webhook_options(const Json& body) {
  WebhookOptions options;
  Fields()
      .field("name", options.name)
      .field("service_namespace", options.service_namespace)
      .field("path", options.path)
      .field("ca_bundle", options.ca_bundle)
      .field("timeout_seconds", options.timeout_seconds)
      .field("failure_policy", options.failure_policy)
      .field("opt_out_namespace_label", options.opt_out_namespace_label)
      .field("match_conditions", options.match_conditions)
      .ignore("replicas")
      .read(body);
  return options;
}

}  // namespace cluster
