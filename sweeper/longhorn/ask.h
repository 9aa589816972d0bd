// One question to Longhorn: is this disk cut? Which volume the disk is, the claim and its PersistentVolume say; they
// are read once, by name. Nothing is changed anywhere.
#pragma once

#include <string>

#include "base/clock.h"
#include "sweeper/longhorn/answer.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

struct AskJob {
  std::string session;   // its uid
  std::string snapshot;  // the VolumeSnapshot's uid
  std::string namespace_;
  std::string claim;
  std::string volume;  // Longhorn's name of it; "": to be read first
};

struct AskDone {
  enum class End {
    kAnswered,   // what `answer` says
    kNoAnswer,   // none came in time, or nothing that Longhorn would say
    kNotKnown,   // the volume could not be read now
    kNotForUs,   // not on Longhorn, no such claim or volume, or we may not read them
    kCancelled,  // the process is stopping
  };
  End end = End::kNoAnswer;
  std::string session;
  std::string snapshot;
  std::string volume;
  LiveAnswer answer;
};

// Longhorn answers within milliseconds. Who takes longer has nothing live to say.
inline constexpr Millis kAskTimeout{1000};

// Two reads at most, and one question. Within 3 s; any thread.
AskDone ask(const Seams& seams, const AskJob& job);

}  // namespace snapfreeze::sweeper
