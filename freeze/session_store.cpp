#include "freeze/session_store.h"

#include "freeze/lease.h"
#include "kube/paths.h"

namespace snapfreeze::freeze {
namespace {

Error left_alone(const Session& session) {
  return {Code::kNewer, "Lease " + session.lease + " was written by a newer version of snapfreeze, in a format other " +
                            "than " + std::to_string(kLeaseFormat) + ": it is left alone"};
}

// Nobody gets to decide about a session of a newer version.
Result<Session> known(Result<Session> session) {
  if (session && session->phase == Phase::kNewer) return left_alone(*session);
  return session;
}

}  // namespace

Result<std::optional<Session>> SessionStore::read(std::string_view ns, std::string_view vm, Millis timeout) {
  const auto lease = kube::get(api_, kube::object_path(kube::kLeases, namespace_, lease_name(ns, vm)), timeout);
  if (!lease) {
    if (lease.error().code == Code::kNotFound) return std::optional<Session>{};
    return lease.error();
  }
  auto session = known(from_lease(*lease));
  if (!session) return session.error();
  return std::optional<Session>(std::move(*session));
}

Result<Session> SessionStore::create(const Session& session, Millis timeout) {
  const auto lease =
      kube::create(api_, kube::collection_path(kube::kLeases, namespace_), to_lease(session, namespace_), timeout);
  if (!lease) return lease.error();
  return known(from_lease(*lease));
}

kube::Request SessionStore::update_request(const Session& session, Millis timeout, Mono send_by) const {
  kube::Request request{kube::Method::kPatch, kube::object_path(kube::kLeases, namespace_, session.lease),
                        to_patch(session).dump(), "application/merge-patch+json", timeout};
  request.send_by = send_by;
  return request;
}

Result<Session> SessionStore::session_of(const Result<kube::Response>& reply) {
  const auto lease = kube::object_of(reply);
  if (!lease) return lease.error();
  return known(from_lease(*lease));
}

Result<Session> SessionStore::update(const Session& session, Millis timeout, Mono send_by) {
  if (session.phase == Phase::kNewer) return left_alone(session);
  return session_of(api_.call(update_request(session, timeout, send_by)));
}

Result<void> SessionStore::remove(const Session& session, Millis timeout) {
  if (session.phase == Phase::kNewer) return left_alone(session);
  const auto reply = kube::remove(api_, kube::object_path(kube::kLeases, namespace_, session.lease),
                                  {session.uid, session.resource_version}, timeout);
  if (!reply) return reply.error();
  return {};
}

}  // namespace snapfreeze::freeze
