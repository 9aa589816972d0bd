// One question to Longhorn: is this disk cut? Nothing is changed anywhere.
//
// Whose volume it asks about, the VolumeSnapshotContent says, which is watched anyway: `spec.driver` is Longhorn's, and
// `spec.source.volumeHandle` is the volume's name. That is what the CSI driver is called with. The snapshot controller
// copies both from the PersistentVolume of the claim and from the class, and creates the content before the driver
// hears of the snapshot, so nothing is cut before it can be asked about. Tenants cannot write contents; whoever can may
// also write their times, and is believed. With a wrong volume Longhorn knows no such snapshot, and the guest is thawed
// when an object of the API says so.
#pragma once

#include <string>

#include "base/clock.h"
#include "sweeper/longhorn/answer.h"
#include "sweeper/longhorn/api.h"

namespace snapfreeze::sweeper {

struct AskJob {
  std::string session;   // its uid
  std::string snapshot;  // the VolumeSnapshot's uid
  std::string volume;    // what Longhorn calls it
};

struct AskDone {
  enum class End {
    kAnswered,   // what `answer` says
    kNoAnswer,   // none came in time, or nothing that Longhorn would say
    kCancelled,  // the process is stopping
  };
  End end = End::kNoAnswer;
  std::string session;  // of the question, as the next two
  std::string snapshot;
  std::string volume;
  LiveAnswer answer;
};

// Longhorn answers within milliseconds. Who takes longer has nothing live to say.
inline constexpr Millis kAskTimeout{1000};

// Within `kAskTimeout`; any thread.
AskDone ask(LonghornApi& longhorn, const AskJob& job);

}  // namespace snapfreeze::sweeper
