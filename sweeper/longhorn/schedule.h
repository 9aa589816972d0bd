// Which disks to ask Longhorn about, and when. Each disk is asked about as soon as its volume is known. After that, one
// question at a time is enough for a session while it waits, since a guest is held until its last disk is cut. The
// disks take turns; once one is cut, the others are asked about at once, before those of other guests.
//
// Makes no call and reads no clock. Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sweeper/longhorn/ask.h"
#include "sweeper/situation.h"
#include "sweeper/world/captures.h"

namespace snapfreeze::sweeper {

class AskSchedule {
 public:
  // Questions begun, of all sessions together, so that 200 guests do not trouble Longhorn. One that is under way may
  // arrive late, together with the next ones: Longhorn counts 40 at most.
  static constexpr std::size_t kPerSecond = 36;
  // Questions after a "not yet" keep this distance, all sessions together. Otherwise those of a herd would come in
  // bursts that use up the second's number, and whatever is cut during the rest of the second would not be noticed.
  static constexpr Millis kBetweenTurns{33};
  static constexpr int kAtOnce = 4;  // calls under way: each may hang for its time-out
  static constexpr Millis kFirstInterval{50};
  static constexpr Millis kLongestInterval{1000};
  static constexpr int kDiskStrikes = 3;  // so often without an answer, a disk is left alone
  static constexpr int kStrikes = 6;      // so often in a row without an answer, Longhorn is left alone ...
  static constexpr std::chrono::seconds kLeftAlone{60};  // ... for so long

  struct Disk {
    std::string snapshot;  // uid
    std::string volume;    // what Longhorn calls it
    Wall created{};        // the VolumeSnapshot, by the API server's clock

    [[nodiscard]] bool is(const std::string& of_snapshot, const std::string& called) const {
      return snapshot == of_snapshot && volume == called;
    }
  };
  // From now on the session asks about these disks only. With none it stops asking.
  void want(const std::string& session, const std::vector<Disk>& disks, Mono now);
  void clear() { sessions_.clear(); }

  // The next question, to be asked now. done() must follow.
  std::optional<AskJob> next(Mono now);
  // When next() has one, at the earliest. Earlier after want() and done().
  [[nodiscard]] Mono next_due() const;

  // A cut that may be believed, of a disk that is still wanted.
  struct Cut {
    std::string snapshot;
    Wall created{};
  };
  std::optional<Cut> done(const AskDone& done, Observed now);

 private:
  struct Turn {
    Disk disk;
    Mono first_seen{};
    Mono not_before{};
    int strikes = 0;
    bool asked = false;
    bool silent = false;   // it is not asked about any more
    bool not_yet = false;  // Longhorn has said so
  };
  struct Session {
    std::deque<Turn> turns;  // the next one first
    Mono due{};
    bool asking = false;
    Mono asked{};
  };
  [[nodiscard]] static bool is_urgent(const Session& session);
  [[nodiscard]] static Mono due_of(const Session& session);
  [[nodiscard]] Mono askable_from(const Session& session) const;
  [[nodiscard]] Mono allowed_from() const;
  std::optional<Cut> take(Session& session, Turn turn, const AskDone& done, Observed now);
  void strike(Turn& turn, Mono now);

  std::map<std::string, Session> sessions_;  // by uid
  std::deque<Mono> calls_;                   // the begin of the latest ones, kPerSecond at most
  Mono turns_from_{};                        // the next question that is not urgent
  int under_way_ = 0;
  int strikes_ = 0;
  Mono left_alone_until_{};
};

// How long after a question the next one comes, for a disk that has been waited for so long.
[[nodiscard]] Millis ask_interval(Millis waited);

// Whether the answer can be about a cut that has been made by now. Its time comes from another machine's clock, which
// may differ from the API server's by a second. So it must lie after the creation of the VolumeSnapshot and not in the
// future, give or take that second. An answer that says "cut" without an earlier "not yet" is believed only when that
// second has certainly passed.
[[nodiscard]] bool believable(Wall created, const AskSchedule::Disk& disk, Observed now, bool said_not_yet);

// What to ask about for a session that holds its guest.
[[nodiscard]] std::vector<AskSchedule::Disk> disks_to_ask(const Situation& situation);

}  // namespace snapfreeze::sweeper
