// What one history leaves behind: each call of snapfreeze's processes, and each call to a guest that went out without
// its intent in the session's Lease. One seed gives one record, byte for byte.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/api.h"
#include "test/double/cluster.h"

namespace sim {

using snapfreeze::Millis;

// A verdict that one of our processes wrote.
struct Claim {
  cluster::Mono at;
  std::string of;  // "volumesnapshots" or "virtualmachinebackups"
  std::string ns, name, uid;
  std::string consistency;
  std::vector<std::string> members;  // of a backup: the names of its snapshots at that time
  std::string before;                // the verdict that the object bore
  bool refused = false;
};

// While a guest had a session, there was a Lease of this name.
struct LeaseSpan {
  std::string lease;
  cluster::Mono from;
  cluster::Mono until = cluster::kNever;
};

// A guest that a sweeper found frozen without a session, and began to thaw.
struct Rescue {
  std::string lease;
  cluster::Mono at;
};

// The caller of every member holds the runtime's lock, or no fiber runs beside it.
class Record {
 public:
  explicit Record(cluster::Cluster& cluster);

  void called(const std::string& who, std::string request);
  void note(const std::string& who, std::string what);
  // Bytes that went over the wire: they make the digest, not the timeline.
  void pass(std::string_view bytes);
  std::size_t claim(Claim claim) {
    claims_.push_back(std::move(claim));
    return claims_.size() - 1;
  }
  void refused(std::size_t claim) { claims_[claim].refused = true; }
  void unrecorded(std::string call) { unrecorded_.push_back(std::move(call)); }
  void unled(std::string call) { unled_.push_back(std::move(call)); }
  void rescued(Rescue rescue) { rescues_.push_back(std::move(rescue)); }

  [[nodiscard]] const std::vector<Claim>& claims() const { return claims_; }
  // "sweeper-0 unfreeze vms/vm1"
  [[nodiscard]] std::vector<std::string>& unrecorded() { return unrecorded_; }
  // Of a sweeper, while another one held the Lease of the leader.
  [[nodiscard]] const std::vector<std::string>& unled() const { return unled_; }
  [[nodiscard]] const std::vector<LeaseSpan>& leases() const { return *leases_; }
  [[nodiscard]] const std::vector<Rescue>& rescues() const { return rescues_; }
  // Calls of one process that have been sent, watches aside, but those whose target contains `aside`; of targets that
  // contain `part`.
  [[nodiscard]] int calls(const std::string& who, const std::string& part, const std::string& aside) const;
  // Calls and what really happened to guests and disks, in the order of time; the digest of all bytes as last line.
  [[nodiscard]] std::string timeline() const;

 private:
  struct Line {
    enum class What { kCall, kOther };
    cluster::Mono at;
    std::string who, text;
    What what = What::kOther;
  };

  cluster::Cluster& cluster_;
  std::vector<Line> lines_;
  std::vector<std::string> unrecorded_, unled_;
  std::vector<Rescue> rescues_;
  std::shared_ptr<std::vector<LeaseSpan>> leases_;  // the cluster may outlive us, and goes on telling
  std::vector<Claim> claims_;
  std::size_t digest_ = 0;
};

// Lets every call through, and notes it.
class RecordingApi : public snapfreeze::kube::KubeApi {
 public:
  RecordingApi(cluster::Cluster& cluster, snapfreeze::kube::KubeApi& api, std::string caller, Record& record)
      : cluster_(cluster), api_(api), caller_(std::move(caller)), record_(record) {}

  snapfreeze::Result<snapfreeze::kube::Response> call(const snapfreeze::kube::Request& request) override;
  std::vector<snapfreeze::Result<snapfreeze::kube::Response>> call_all(
      std::span<const snapfreeze::kube::Request> requests) override;
  snapfreeze::Result<void> stream(const snapfreeze::kube::Request& request, Millis idle,
                                  const snapfreeze::kube::LineSink& sink) override;

 private:
  using Reply = snapfreeze::Result<snapfreeze::kube::Response>;
  using Sent = std::optional<std::size_t>;  // the claim that it makes
  Sent leaves(const snapfreeze::kube::Request& request);
  void answered(const snapfreeze::kube::Request& request, Sent sent, const Reply& reply);
  Sent claim_of(const snapfreeze::kube::Request& request);
  void remember_intent(const snapfreeze::kube::Request& request, const Reply& reply);
  bool take_written(const std::string& lease_name, const std::string& operation);
  void witness(const snapfreeze::kube::Request& request);
  bool on_record(const std::string& lease_name, const std::string& operation);

  cluster::Cluster& cluster_;
  snapfreeze::kube::KubeApi& api_;
  const std::string caller_;
  Record& record_;
  bool another_leads() const;

  struct Announced {
    std::string call;
    cluster::Mono at;
  };
  // By Lease: the call that our last write announced. Somebody else may write before the call leaves.
  std::map<std::string, Announced> announced_;
};

}  // namespace sim
