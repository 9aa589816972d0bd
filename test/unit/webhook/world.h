// A cluster in which the backup "b1" of the running VM "vm1" is about to get its snapshots, and one replica of the
// webhook to admit them.
#pragma once

#include <optional>
#include <string>

#include "freeze/names.h"
#include "kube/observing_api.h"
#include "kube/paths.h"
#include "test/support/catch.h"
#include "test/unit/webhook/fake_api.h"
#include "webhook/admission.h"
#include "webhook/handler.h"

namespace snapfreeze::test {

inline constexpr char kNamespace[] = "vms";
inline constexpr char kOwnNamespace[] = "snapfreeze";
inline constexpr char kBackupUid[] = "b1-uid";

Json json(const std::string& text);  // throws when it is none

std::string path_of(const kube::Resource& resource, const std::string& name);

// Objects as little filled as they may be.
Json backup(const std::string& name, const std::string& uid, const std::string& vm,
            const std::vector<std::string>& members, const std::string& deadline = "");
Json running_vmi(const std::string& name);
Json leader_lease();

// CREATE of a VolumeSnapshot owned by the backup, or labelled; `name` may be empty.
webhook::Review harvester_review(const std::string& name, const std::string& backup_name = "b1",
                                 const std::string& backup_uid = kBackupUid, const std::string& pvc = "pvc-0");
webhook::Review label_review(const std::string& name, const std::string& label, const std::string& annotations = "{}",
                             const std::string& pvc = "pvc-0");

class World {
 public:
  explicit World(webhook::Settings settings = {});

  webhook::Outcome admit(const webhook::Review& review, Millis budget = Millis(9000));
  // The snapshot exists from now on, with the epoch it was given, as when the API server has stored it.
  void store(const std::string& name, const webhook::Outcome& outcome, const std::string& label = "",
             const std::string& pvc = "pvc-0");
  // The backup b1 of another deadline, for which Harvester has frozen.
  void set_deadline(const std::string& deadline);

  // Time goes by, and the sweeper lives.
  void pass(Millis time);

  // The session on record; nullopt: none.
  [[nodiscard]] std::optional<freeze::Session> session() const;
  // Puts one there, of vm1 and with a hold for b1 unless `change` says otherwise.
  void put_session(const std::function<void(freeze::Session&)>& change);

  FakeClock clock;
  FakeApi api{clock};
  Metrics metrics;
  kube::ServerTime server_time;
  kube::ObservingApi observed{api, server_time, clock, [](std::string_view, int) {}};
  freeze::SessionStore sessions{observed, kOwnNamespace};
  webhook::Liveness sweeper;
  webhook::Admission admission;
};

// It is allowed without a freeze, and marked with the reason.
inline void check_crash(const webhook::Outcome& outcome, freeze::Reason why) {
  CAPTURE(outcome.error);
  CHECK(outcome.decision == why);
  REQUIRE(outcome.marks);
  CHECK(outcome.marks->epoch == freeze::kEpochNone);
  CHECK(outcome.marks->verdict == freeze::crash(why));
}

}  // namespace snapfreeze::test
