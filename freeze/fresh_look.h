// A session's guest and its disks, read afresh once the guest is thawed, because a watch cannot prove that nothing
// happened. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "freeze/session.h"
#include "kube/views.h"

namespace snapfreeze::freeze {

// Something that writes to the disks of its claims, or did.
struct DiskUser {
  std::string name;     // kind and name, for an admin
  std::string vmi_uid;  // of the VMI that it is or runs; "" for anything else
  std::string pod_uid;  // of a pod
  std::string serves;   // of an attachment pod: the uid of the launcher to which it hands its disks
  std::vector<std::string> claims;
  bool finished = false;
  std::optional<Wall> ended;  // when it finished, if it says so; the node's clock
};

[[nodiscard]] DiskUser vmi_user(const Json& vmi);
// A virt-launcher, including the target of a migration, is controlled by its VMI. A pod that hot-plugs a disk
// ("hp-volume-…") is controlled by a launcher.
[[nodiscard]] DiskUser pod_user(const Json& pod);

// Whether `user` may have written since `since`.
[[nodiscard]] bool active_since(const DiskUser& user, Wall since);

// Finds the VMI that each attachment pod serves. `users` are all those of a namespace.
void follow_attachments(std::vector<DiskUser>& users);

// Anyone but the VMI `vmi_uid` ("" for none) that may have written to the disk since `since`; nullptr: nobody.
[[nodiscard]] const DiskUser* other_user(std::span<const DiskUser> users, std::string_view claim,
                                         std::string_view vmi_uid, Wall since);

// Why the disk of a VM that is off may not have been at rest since its snapshot was created; "" when it was. A VMI in
// phase Succeeded or Failed is off.
struct AtRest {
  std::string_view claim;
  Wall since;
  const std::optional<kube::VmiView>& vmi;
  const std::optional<kube::VmView>& vm;
  std::span<const DiskUser> users;
};
[[nodiscard]] std::string_view offline_doubt(const AtRest& disk, std::string& culprit);

// A doubt about the session that its guest raises, or "". `migration` is the uid of the last migration ("" for none)
// when the watch first saw the guest; nullopt: it never did. `margin` allows for the clocks of other machines.
[[nodiscard]] std::string_view guest_doubt(const Session& session, const std::optional<kube::VmiView>& vmi,
                                           const std::optional<std::string>& migration, Millis margin);

}  // namespace snapfreeze::freeze
