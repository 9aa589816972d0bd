#include "sweeper/look.h"

#include <algorithm>
#include <functional>

#include "base/log.h"
#include "freeze/names.h"
#include "kube/replay.h"
#include "sweeper/kind_list.h"

namespace snapfreeze::sweeper {
namespace {

constexpr std::chrono::seconds kLongestLook{40};
// Somebody may change an object as often as he likes.
constexpr std::size_t kMostStates = 1000;

class Looking {
 public:
  Looking(const Seams& seams, const LookJob& job) : seams_(seams), job_(job) {
    if (job.freezers) {
      add(
          kube::kHarvesterBackups, [this](const Json& item) { take_backup(item); }, [this] { look_.backups.clear(); });
      list_of_backups_ = lists_.back();
      add(
          kube::kKubeVirtSnapshots,
          [this](const Json& item) {
            take_kubevirt(freeze::kubevirt_snapshot(item), "VirtualMachineSnapshot ", snapshots_);
          },
          [this] { snapshots_.clear(); });
      add(
          kube::kKubeVirtBackups,
          [this](const Json& item) {
            take_kubevirt(freeze::kubevirt_backup(item), "KubeVirt's VirtualMachineBackup ", kubevirt_backups_);
          },
          [this] { kubevirt_backups_.clear(); });
    }
    add(
        kube::kVirtualMachineInstances, [this](const Json& item) { take_vmi(item); },
        [this] {
          look_.guests.clear();
          vmis_.clear();
        });
    list_of_vmis_ = lists_.back();
    add(
        kube::kPods, [this](const Json& item) { take_pod(item); },
        [this] {
          pods_.clear();
          listed_pods_.clear();
        });
    list_of_pods_ = lists_.back();
    if (job.version.empty()) return;
    // Of a pod that has gone since, a watch that lags does not tell yet.
    add(
        kube::kPods, [this](const Json& item) { take_former_pod(item); }, [this] { former_pods_.clear(); },
        job.version);
  }

  std::shared_ptr<const Look> run() {
    const Mono end = seams_.clock.monotonic() + kLongestLook;
    while (look_.error.empty() && !lists_.empty()) {
      if (seams_.clock.monotonic() >= end)
        look_.error = "the lists take too long";
      else
        turn_pages();
    }
    if (look_.error.empty()) replay_guests();
    if (look_.error.empty()) replay_backups();
    if (look_.error.empty()) replay_pods();
    move_all(snapshots_, look_.kubevirt);
    move_all(kubevirt_backups_, look_.kubevirt);
    move_all(vmis_, look_.users);
    move_all(pods_, look_.users);
    move_all(former_pods_, look_.users);
    freeze::follow_attachments(look_.users);
    return std::make_shared<const Look>(std::move(look_));
  }

 private:
  void add(const kube::Resource& resource, std::function<void(const Json&)> item, std::function<void()> restart,
           std::string as_of = "") {
    lists_.push_back(std::make_shared<KindList>(seams_, resource, job_.namespace_, std::move(item), std::move(restart),
                                                std::move(as_of)));
  }

  // The next page of each list. Also if one fails, what the others show counts for the next look.
  void turn_pages() {
    std::vector<kube::Request> requests;
    requests.reserve(lists_.size());
    for (const auto& list : lists_) requests.push_back(list->next());
    auto replies = seams_.api.call_all(requests);
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      const auto taken = lists_[i]->take(replies[i]);
      replies[i] = Error{};  // a page may be of megabytes
      if (!taken && look_.error.empty()) look_.error = lists_[i]->name() + ": " + taken.error().message;
    }
    std::erase_if(lists_, [](const auto& list) { return list->done(); });
  }

  [[nodiscard]] bool concerns(const freeze::Freezer& freezer) const {
    return freezer.vm.empty() || job_.vms.contains(freezer.vm) || job_.backups.contains(freezer.uid);
  }

  void take_backup(const Json& item) {
    auto freezer = freeze::harvester_backup(item);
    if (!concerns(freezer)) return;
    look_.backups.push_back({std::move(freezer), freeze::read_verdict(kube::Metadata::from(item))});
  }

  void take_kubevirt(freeze::Freezer freezer, const char* kind, std::vector<freeze::Freezer>& found) const {
    if (!concerns(freezer)) return;
    freezer.name.insert(0, kind);
    found.push_back(std::move(freezer));
  }

  void take_vmi(const Json& item) {
    take_user(freeze::vmi_user(item), vmis_);
    const std::string& name = item["metadata"]["name"].string();
    if (job_.vms.contains(name)) look_.guests[name] = kube::VmiView::from(item);
  }

  void take_pod(const Json& item) {
    auto user = freeze::pod_user(item);
    if (!job_.version.empty()) listed_pods_.insert(user.pod_uid);
    take_user(std::move(user), pods_);
  }

  // A guest may have been reset while its watch was silent, and be well again.
  void replay_guests() {
    const bool all_told = std::all_of(job_.vms.begin(), job_.vms.end(), [&](const auto& vm) {
      const auto listed = look_.guests.find(vm.first);
      if (listed == look_.guests.end()) return false;
      const std::string& version = listed->second.metadata.resource_version;
      return version == vm.second || kube::is_not_after(version, job_.version);
    });
    if (!job_.freezers || job_.version.empty() || all_told) return;
    const auto replayed =
        kube::replay(seams_.api, seams_.clock, list_of_vmis_->since(job_.version), [&](const Json& item) {
          const bool concerned = job_.vms.contains(item["metadata"]["name"].string());
          if (concerned && look_.untold.size() < kMostStates) look_.untold.push_back(kube::VmiView::from(item));
        });
    if (look_.untold.size() == kMostStates) look_.gap = "the guests have changed too often";
    if (!replayed) look_.gap = "what became of the guests: " + replayed.error().message;
  }

  // One may have frozen the guest, and have come and gone while its watch was silent.
  void replay_backups() {
    if (job_.version.empty() || !list_of_backups_ || !list_of_backups_->served()) return;
    const auto replayed =
        kube::replay(seams_.api, seams_.clock, list_of_backups_->since(job_.version), [&](const Json& item) {
          auto freezer = freeze::harvester_backup(item);
          if (!concerns(freezer) || look_.backup(freezer.uid) != nullptr || look_.former.size() == kMostStates) return;
          look_.former.push_back({std::move(freezer), item["metadata"]["resourceVersion"].string()});
        });
    if (look_.former.size() == kMostStates) look_.gap = "the backups have changed too often";
    if (!replayed) look_.error = "what became of the backups: " + replayed.error().message;
  }

  // It ran at that moment, so it may have written since, whatever its node's clock says about its end.
  void take_former_pod(const Json& item) {
    auto user = freeze::pod_user(item);
    if (!user.finished && !user.claims.empty()) take_user(std::move(user), former_pods_);
  }

  // A pod that is gone, or has finished, may have written before.
  void replay_pods() {
    if (job_.version.empty()) return;
    std::map<std::string, freeze::DiskUser> since;
    const auto replayed =
        kube::replay(seams_.api, seams_.clock, list_of_pods_->since(job_.version), [&](const Json& item) {
          auto user = freeze::pod_user(item);
          // It has changed since, and does not say when it finished.
          const bool may_have_finished = user.finished && !user.ended;
          if (may_have_finished) user.finished = false;
          if (may_have_finished || !listed_pods_.contains(user.pod_uid)) since[user.pod_uid] = std::move(user);
        });
    if (!replayed) look_.error = "what became of the pods: " + replayed.error().message;
    for (auto& [uid, user] : since) take_user(std::move(user), pods_);
  }

  void take_user(freeze::DiskUser user, std::vector<freeze::DiskUser>& found) const {
    // A launcher without claims may be the one that attachments name.
    const bool matters = !user.claims.empty() || !user.vmi_uid.empty();
    if (matters && freeze::active_since(user, job_.since)) found.push_back(std::move(user));
  }

  template <class Item>
  static void move_all(std::vector<Item>& from, std::vector<Item>& to) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  }

  const Seams& seams_;
  const LookJob& job_;
  Look look_;
  std::vector<freeze::Freezer> snapshots_;
  std::vector<freeze::Freezer> kubevirt_backups_;
  std::vector<freeze::DiskUser> vmis_;
  std::vector<freeze::DiskUser> pods_;
  std::vector<freeze::DiskUser> former_pods_;     // those of that moment
  std::set<std::string> listed_pods_;             // uids of those that exist
  std::vector<std::shared_ptr<KindList>> lists_;  // those that go on
  std::shared_ptr<KindList> list_of_backups_;
  std::shared_ptr<KindList> list_of_vmis_;
  std::shared_ptr<KindList> list_of_pods_;
};

}  // namespace

void LookJob::reach_back_to(const std::string& other) {
  const bool earlier = version.empty() || kube::is_not_after(other, version);
  if (!other.empty() && earlier) version = other;
}

const Look::Backup* Look::backup(const std::string& uid) const {
  const auto found =
      std::find_if(backups.begin(), backups.end(), [&](const Backup& item) { return item.freezer.uid == uid; });
  return found == backups.end() ? nullptr : &*found;
}

std::optional<kube::VmiView> Look::guest(const std::string& vm) const {
  const auto found = guests.find(vm);
  return found == guests.end() ? std::nullopt : std::optional(found->second);
}

std::shared_ptr<const Look> look(const Seams& seams, const LookJob& job) {
  auto found = Looking(seams, job).run();
  if (!found->error.empty()) {
    log::warning("cannot look for other freezers", {{"namespace", job.namespace_}, {"error", found->error}});
  }
  return found;
}

}  // namespace snapfreeze::sweeper
