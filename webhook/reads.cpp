#include "webhook/reads.h"

#include <algorithm>
#include <span>

#include "freeze/names.h"
#include "kube/paths.h"
#include "kube/rest.h"

namespace snapfreeze::webhook {
namespace {

// Snapshots read side by side. A backup names as many as it likes, and each may be large.
constexpr std::size_t kSideBySide = 8;

// nullopt for an object that does not exist.
template <class View>
Result<std::optional<View>> view_of(const Result<kube::Response>& reply) {
  const auto object = kube::object_of(reply);
  if (object) return std::optional<View>(View::from(*object));
  if (object.error().code == Code::kNotFound) return std::optional<View>();
  return object.error();
}

Result<bool> exists(const Result<kube::Response>& reply) {
  const auto object = kube::object_of(reply);
  if (object) return true;
  if (object.error().code == Code::kNotFound) return false;
  return object.error();
}

kube::Request access_review(const User& user, std::string_view ns, std::string_view vm, Millis timeout) {
  Json attributes = Json::object({{"group", kube::kGuestCalls.group},
                                  {"version", kube::kGuestCalls.version},
                                  {"resource", kube::kGuestCalls.plural},
                                  {"subresource", "freeze"},
                                  {"verb", "update"},
                                  {"namespace", ns}});
  if (!vm.empty()) attributes.set("name", vm);
  Json spec = Json::object({{"resourceAttributes", std::move(attributes)}, {"user", user.name}});
  if (!user.uid.empty()) spec.set("uid", user.uid);
  if (user.groups.is_array()) spec.set("groups", user.groups);
  if (user.extra.is_object()) spec.set("extra", user.extra);
  const Json review = Json::object({{"apiVersion", kube::api_version(kube::kSubjectAccessReviews)},
                                    {"kind", kube::kSubjectAccessReviews.kind},
                                    {"spec", std::move(spec)}});
  return {kube::Method::kPost, kube::collection_path(kube::kSubjectAccessReviews), review.dump(), "application/json",
          timeout};
}

Result<bool> access_given(const Result<kube::Response>& reply) {
  const auto answer = kube::object_of(reply);
  if (!answer) return answer.error();
  return (*answer)["status"]["allowed"].boolean();
}

Result<void> note(const Result<kube::Response>& reply, Permission& permission) {
  const auto given = access_given(reply);
  if (!given) return given.error();
  permission.given = *given;
  return {};
}

// The names of this snapshot, if it has one, and of the other members.
std::vector<std::string> names_of(const Subject& subject) {
  std::vector<std::string> names;
  if (!subject.name.empty()) names.push_back(subject.name);
  for (const std::string& member : subject.members) {
    if (member != subject.name) names.push_back(member);
  }
  return names;
}

}  // namespace

Result<std::optional<kube::BackupView>> read_backup(kube::KubeApi& api, std::string_view ns, std::string_view name,
                                                    Millis timeout) {
  const std::string path = kube::object_path(kube::kHarvesterBackups, ns, name);
  return view_of<kube::BackupView>(api.call(kube::get_request(path, timeout)));
}

Result<void> read_guest(kube::KubeApi& api, const Subject& subject, Millis timeout, Permission* permission,
                        freeze::Guest& guest) {
  std::vector<kube::Request> requests;
  for (const kube::Resource& resource : {kube::kVirtualMachineInstances, kube::kVirtualMachines}) {
    requests.push_back(kube::get_request(kube::object_path(resource, subject.namespace_, subject.vm), timeout));
  }
  const bool asks = permission != nullptr && !permission->given;
  if (asks) requests.push_back(access_review(permission->user, subject.namespace_, subject.vm, timeout));
  const auto replies = api.call_all(requests);
  const auto vmi = view_of<kube::VmiView>(replies[0]);
  if (!vmi) return vmi.error();
  const auto vm = view_of<kube::VmView>(replies[1]);
  if (!vm) return vm.error();
  guest = {*vmi, *vm};
  return asks ? note(replies[2], *permission) : Result<void>();
}

Result<void> read_members(kube::KubeApi& api, const Subject& subject, const Budget& budget, Permission& permission,
                          Facts& facts) {
  std::vector<kube::Request> requests;
  const bool asks = !permission.given;
  if (asks) requests.push_back(access_review(permission.user, subject.namespace_, subject.vm, budget.for_call()));
  for (const std::string& name : names_of(subject)) {
    requests.push_back(kube::get_request(kube::object_path(kube::kVolumeSnapshots, subject.namespace_, name)));
  }
  const std::size_t first_other = (asks ? 1U : 0U) + (subject.name.empty() ? 0U : 1U);
  for (std::size_t begin = 0; begin < requests.size(); begin += kSideBySide) {
    if (budget.used_up()) return Error{Code::kTransient, "the members of the backup were not read in time"};
    const std::span batch = std::span(requests).subspan(begin, std::min(kSideBySide, requests.size() - begin));
    for (kube::Request& request : batch) request.timeout = budget.for_call();
    const auto replies = api.call_all(batch);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      const std::size_t index = begin + i;
      if (asks && index == 0) {
        if (const auto noted = note(replies[i], permission); !noted) return noted.error();
        continue;
      }
      const auto there = exists(replies[i]);
      if (!there) return there.error();
      bool& flag = index < first_other ? facts.exists : facts.other_member;
      flag = flag || *there;
    }
    // A user who may not freeze the guest causes no further reads.
    if (permission.given == false) return {};
  }
  return {};
}

Result<void> list_members(const Seams& seams, const Subject& subject, std::chrono::seconds timer, const Budget& budget,
                          Facts& facts) {
  const std::string selector = std::string(freeze::kBackupLabel) + "=" + subject.hold.name;
  const auto& claims = facts.guest.vmi->claims;
  kube::PagedList pages(
      kube::labelled_path(kube::kVolumeSnapshots, subject.namespace_, selector),
      [&](const Json& item) {
        const auto other = kube::SnapshotView::from(item);
        // An import is not a cut, and the same label on another guest's disk is another backup.
        const bool of_guest = std::ranges::find(claims, other.source_pvc) != claims.end();
        if (other.metadata.name == subject.name || !other.source_content.empty() || !of_guest) return;
        const auto now = seams.server_time.upper_bound(seams.clock.monotonic());
        if (of_present_backup(other.metadata.creation_timestamp, now, timer)) facts.other_member = true;
      },
      [] {});
  return list_within(seams.api, pages, budget);
}

Result<void> list_within(kube::KubeApi& api, kube::PagedList& pages, const Budget& budget) {
  while (!pages.done()) {
    if (budget.used_up()) return Error{Code::kTransient, "a list was not read in time"};
    if (const auto taken = pages.take(api.call(pages.next(budget.for_call()))); !taken) return taken.error();
  }
  return {};
}

Result<bool> may_freeze(kube::KubeApi& api, const User& user, std::string_view ns, std::string_view vm,
                        Millis timeout) {
  return access_given(api.call(access_review(user, ns, vm, timeout)));
}

}  // namespace snapfreeze::webhook
