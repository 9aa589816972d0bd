// What an admission asks the API server before it touches anything. Errors are those of kube/rest.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeze/session.h"
#include "kube/api.h"
#include "kube/views.h"
#include "webhook/decision.h"
#include "webhook/review.h"

namespace snapfreeze::webhook {

// nullopt: there is none.
Result<std::optional<kube::BackupView>> read_backup(kube::KubeApi& api, std::string_view ns, std::string_view name,
                                                    Millis timeout);

// The running guest that mounts the claim; "" when there is none, or several: then no one freeze covers the disk.
Result<std::string> find_vm(kube::KubeApi& api, std::string_view ns, std::string_view pvc, Millis timeout);

// The snapshot that is to be admitted, and where to look for the others of its backup.
struct Subject {
  std::string namespace_;
  std::string name;  // may be empty
  std::string vm;
  freeze::Hold hold;
  std::vector<std::string> members;  // of a Harvester backup; a labelled one is listed by its label
};

// Guest and members, all side by side.
Result<void> gather(kube::KubeApi& api, const Subject& subject, Millis timeout, Facts& facts);

// Whether the user may update virtualmachineinstances/freeze of that VM: a SubjectAccessReview.
Result<bool> may_freeze(kube::KubeApi& api, const User& user, std::string_view ns, std::string_view vm, Millis timeout);

// Whether it can be the name of an object (RFC 1123 subdomain). What comes from a user might be "..", and an API server
// cleans paths.
[[nodiscard]] bool is_object_name(std::string_view name);

}  // namespace snapfreeze::webhook
