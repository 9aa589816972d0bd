// What an admission reads from the API server before it touches anything. Errors are those of kube/rest.h.
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
  std::string disk;  // its claim; may be empty
  std::string vm;
  freeze::Hold hold;
  std::vector<std::string> members;  // of a Harvester backup, whose names are known
};

// Whether a user may freeze a guest. Asked once, side by side with other reads.
struct Permission {
  const User& user;
  std::optional<bool> given;  // nullopt: not asked yet
};

// Reads the guest: VMI and VM side by side, and with them the review of access if `permission` is given and not asked
// yet.
Result<void> read_guest(kube::KubeApi& api, const Subject& subject, Millis timeout, Permission* permission,
                        freeze::Guest& guest);

// Reads whether this very snapshot exists, whether others that a Harvester backup names do, and the review of access if
// it was not asked yet. kTransient when the budget ends before all of them are read.
Result<void> read_members(kube::KubeApi& api, const Subject& subject, const Budget& budget, Permission& permission,
                          Facts& facts);

// For a labelled backup: lists the snapshots with its label, in pages, to find others of this guest and of the present
// backup (decision.h, with `timer`). Only for users who may freeze the guest.
Result<void> list_members(const Seams& seams, const Subject& subject, std::chrono::seconds timer, const Budget& budget,
                          Facts& facts);

// Reads all pages of a list. kTransient when the budget ends first.
Result<void> list_within(kube::KubeApi& api, kube::PagedList& pages, const Budget& budget);

// Asks by SubjectAccessReview whether the user may update virtualmachineinstances/freeze of that VM, or with "" of
// every VM of the namespace.
Result<bool> may_freeze(kube::KubeApi& api, const User& user, std::string_view ns, std::string_view vm, Millis timeout);

}  // namespace snapfreeze::webhook
