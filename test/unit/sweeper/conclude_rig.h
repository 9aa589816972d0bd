// A backup of two disks, both captured in time; its guest is thawed.
#pragma once

#include "test/unit/sweeper/rig.h"

namespace snapfreeze::test {

struct ConcludeRig : Rig {
  ConcludeRig() : Rig(2) {
    uid = make_backup();
    freeze::Session session = begin(freeze::Phase::kThawing, uid);
    job.holds.push_back({session.holds[0], {name_of(0), name_of(1)}, {}, false, {}, {}});
    for (int i = 0; i < 2; ++i) {
      const auto object = cluster.get("snapshot.storage.k8s.io/volumesnapshots", "vms", name_of(i));
      const std::string snapshot_uid = object["metadata"]["uid"];
      session.captured[snapshot_uid] = Millis(1000);
      job.members.push_back(
          {snapshot_uid, "vms", name_of(i), "vm1-disk-" + std::to_string(i), 0, at(Millis(1000)), {}, {}});
    }
    job.session = session;
    job.frozen_for = Millis(1234);
  }

  static std::string name_of(int disk) { return "b1-volume-vm1-disk-" + std::to_string(disk); }
  sweeper::ConcludeDone conclude() { return sweeper::conclude(seams, settings, job); }

  std::string uid;
  sweeper::ConcludeJob job;
};

}  // namespace snapfreeze::test
