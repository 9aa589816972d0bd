// Sessions as the API server holds them. Webhook and sweeper change sessions only through this class.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "freeze/session.h"
#include "kube/api.h"
#include "kube/rest.h"

namespace snapfreeze::freeze {

// Thread-safe if the KubeApi is. Errors are those of kube/rest.h, and kNewer: the session is of a newer version, which
// is neither handed out nor written.
class SessionStore {
 public:
  SessionStore(kube::KubeApi& api, std::string own_namespace) : api_(api), namespace_(std::move(own_namespace)) {}

  // nullopt: the guest has no session.
  Result<std::optional<Session>> read(std::string_view ns, std::string_view vm, Millis timeout = kube::kCallTimeout);

  // kConflict: the guest has a session. After an Error without HTTP status the session may exist: read() shows its
  // holder.
  Result<Session> create(const Session& session, Millis timeout = kube::kCallTimeout);

  // kConflict or kNotFound: somebody else changed or ended it; read again and decide anew. `send_by`: see kube/api.h.
  Result<Session> update(const Session& session, Millis timeout = kube::kCallTimeout, Mono send_by = Mono::max());

  // The two halves of an update, for KubeApi::call_all.
  [[nodiscard]] kube::Request update_request(const Session& session, Millis timeout = kube::kCallTimeout,
                                             Mono send_by = Mono::max()) const;
  static Result<Session> session_of(const Result<kube::Response>& reply);

  // Removes only this very session, in the state last read. kNotFound and kConflict as above.
  Result<void> remove(const Session& session, Millis timeout = kube::kCallTimeout);

 private:
  kube::KubeApi& api_;
  const std::string namespace_;
};

}  // namespace snapfreeze::freeze
