// What an admission asks the API server before it touches anything. Errors are those of kube/rest.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freeze/session.h"
#include "kube/api.h"
#include "kube/list.h"
#include "kube/views.h"
#include "webhook/budget.h"
#include "webhook/decision.h"
#include "webhook/review.h"
#include "webhook/seams.h"

namespace snapfreeze::webhook {

// nullopt: there is none.
Result<std::optional<kube::BackupView>> read_backup(kube::KubeApi& api, std::string_view ns, std::string_view name,
                                                    Millis timeout);

// The snapshot that is to be admitted, and where to look for the others of its backup.
struct Subject {
  std::string namespace_;
  std::string name;  // may be empty
  std::string disk;  // the claim that it is of; may be empty
  std::string vm;
  freeze::Hold hold;
  std::vector<std::string> members;  // of a Harvester backup, whose names are known
};

// Whether somebody may freeze a guest: asked once, and beside other reads.
struct Permission {
  const User& user;
  std::optional<bool> given;  // nullopt: not asked yet
};

// The guest, VMI and VM side by side; with `permission`, and if it was not asked yet, the review of access beside them.
Result<void> read_guest(kube::KubeApi& api, const Subject& subject, Millis timeout, Permission* permission,
                        freeze::Guest& guest);

// Whether this very snapshot exists, and others of the same backup, which a Harvester backup names; and the review of
// access, if it was not asked yet. kTransient when the budget ends before all that the backup names is read.
Result<void> read_members(kube::KubeApi& api, const Subject& subject, const Budget& budget, Permission& permission,
                          Facts& facts);

// Of a labelled backup: lists the snapshots with its label, in pages, for others of this guest and of the present
// backup (decision.h, with `timer`). Only for who may freeze the guest.
Result<void> list_members(const Seams& seams, const Subject& subject, std::chrono::seconds timer, const Budget& budget,
                          Facts& facts);

// All pages of a list, or as many as the budget allows: then kTransient.
Result<void> list_within(kube::KubeApi& api, kube::PagedList& pages, const Budget& budget);

// Whether the user may update virtualmachineinstances/freeze of that VM, or with "" of every VM of the namespace: a
// SubjectAccessReview.
Result<bool> may_freeze(kube::KubeApi& api, const User& user, std::string_view ns, std::string_view vm, Millis timeout);

// Whether it can be the name of an object (RFC 1123 subdomain). What comes from a user might be "..", and an API server
// cleans paths.
[[nodiscard]] bool is_object_name(std::string_view name);

}  // namespace snapfreeze::webhook
