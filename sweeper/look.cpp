#include "sweeper/look.h"

#include <algorithm>
#include <functional>

#include "base/log.h"
#include "freeze/names.h"
#include "kube/discovery.h"
#include "kube/list.h"
#include "kube/replay.h"

namespace snapfreeze::sweeper {
namespace {

constexpr std::chrono::seconds kLongestLook{40};
// Somebody may change an object as often as he likes.
constexpr std::size_t kMostStates = 1000;

// Lists one kind, in whichever version it is served.
class KindList {
 public:
  KindList(const Seams& seams, const kube::Resource& resource, const std::string& ns,
           std::function<void(const Json&)> item, std::function<void()> restart)
      : seams_(seams), resource_(resource), namespace_(ns), item_(std::move(item)), restart_(std::move(restart)) {
    if (const auto version = seams_.versions->of(resource)) begin(*version);
  }

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] std::string name() const { return std::string(resource_.plural) + "." + std::string(resource_.group); }

  // What became of its objects since that version, up to this list.
  [[nodiscard]] kube::Replay since(const std::string& version) const {
    return {path_, version, pages_ ? pages_->resource_version() : "", newest_};
  }

  // For a kind that was not served, its group is asked, which costs no more than an empty list.
  [[nodiscard]] kube::Request next() const {
    if (pages_) return pages_->next(kube::kCallTimeout);
    return kube::get_request("/apis/" + kube::percent_encode(resource_.group));
  }

  Result<void> take(const Result<kube::Response>& reply) {
    if (!pages_) return take_group(reply);
    const auto taken = pages_->take(reply);
    if (taken) {
      done_ = pages_->done();
      return {};
    }
    const bool gone = taken.error().code == Code::kNotFound && !resource_.group.empty() && !discovered_;
    return gone ? discover() : taken;
  }

 private:
  void begin(const std::string& version) {
    version_ = version;
    kube::Resource served = resource_;
    served.version = version_;
    path_ = kube::collection_path(served, namespace_);
    restart();
    pages_.emplace(
        path_, [this](const Json& item) { take_item(item); }, [this] { restart(); });
  }

  void restart() {
    newest_.clear();
    restart_();
  }

  void take_item(const Json& item) {
    const std::string& version = item["metadata"]["resourceVersion"].string();
    if (newest_.empty() || kube::is_not_after(newest_, version)) newest_ = version;
    item_(item);
  }

  Result<void> take_group(const Result<kube::Response>& reply) {
    const auto group = kube::object_of(reply);
    if (group) return discover();
    if (group.error().code != Code::kNotFound) return group.error();
    done_ = true;
    return {};
  }

  Result<void> discover() {
    discovered_ = true;
    auto version = kube::served_version(seams_.api, resource_);
    if (!version) return version.error();
    log::info(*version ? "kind served in another version" : "kind not served",
              {{"resource", name()}, {"version", version->value_or("")}});
    done_ = !version->has_value();
    if (*version) begin(**version);
    if (done_) restart();
    seams_.versions->learn(resource_, std::move(*version));
    return {};
  }

  const Seams& seams_;
  const kube::Resource& resource_;
  const std::string namespace_;
  const std::function<void(const Json&)> item_;
  const std::function<void()> restart_;
  std::string version_;
  std::string path_;
  std::string newest_;                    // the latest version of one of its objects
  std::optional<kube::PagedList> pages_;  // absent: it was not served when it was last asked
  bool discovered_ = false;
  bool done_ = false;
};

class Looking {
 public:
  Looking(const Seams& seams, const LookJob& job) : seams_(seams), job_(job) {
    if (job.freezers) {
      add(
          kube::kHarvesterBackups, [this](const Json& item) { take_backup(item); }, [this] { look_.backups.clear(); });
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
    if (look_.error.empty()) replay_pods();
    move_all(snapshots_, look_.kubevirt);
    move_all(kubevirt_backups_, look_.kubevirt);
    move_all(vmis_, look_.users);
    move_all(pods_, look_.users);
    freeze::follow_attachments(look_.users);
    return std::make_shared<const Look>(std::move(look_));
  }

 private:
  void add(const kube::Resource& resource, std::function<void(const Json&)> item, std::function<void()> restart) {
    lists_.push_back(
        std::make_shared<KindList>(seams_, resource, job_.namespace_, std::move(item), std::move(restart)));
  }

  // The next page of each list.
  void turn_pages() {
    std::vector<kube::Request> requests;
    requests.reserve(lists_.size());
    for (const auto& list : lists_) requests.push_back(list->next());
    auto replies = seams_.api.call_all(requests);
    for (std::size_t i = 0; i < lists_.size() && look_.error.empty(); ++i) {
      const auto taken = lists_[i]->take(replies[i]);
      replies[i] = Error{};  // a page may be of megabytes
      if (!taken) look_.error = lists_[i]->name() + ": " + taken.error().message;
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
  std::set<std::string> listed_pods_;             // uids of those that exist
  std::vector<std::shared_ptr<KindList>> lists_;  // those that go on
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
