// What the sweeper knows, what it is to look at next, and what became of its jobs. Changes and outcomes go in; keys
// that are due come out. It makes no call, decides nothing and reads no clock. Not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sweeper/agenda.h"
#include "sweeper/job.h"
#include "sweeper/looks.h"
#include "sweeper/planner.h"
#include "sweeper/world/world.h"

namespace snapfreeze::sweeper {

class Ledger {
 public:
  using Key = Job::Key;

  // `rescue`: guests that are frozen without a session are of interest.
  Ledger(ThawOn thaw_on, bool rescue) : rescue_(rescue), world_(thaw_on) {}

  void on_change(const Change& change, Observed now);
  // Longhorn says that a disk of a held guest was cut.
  void cut_live(const std::string& snapshot_uid, const LiveCut& live);
  // What followed from a job that was begun.
  void done(const Outcome& outcome, Mono now);

  // What is due, the earliest first; nullopt: nothing any more.
  std::optional<Key> pop_due(Mono now) { return agenda_.pop_due(now); }
  [[nodiscard]] Mono next() const { return agenda_.next(); }
  void wake_at(const Key& key, Mono when, Mono now);
  // A job for it is under way: it is not looked at before that is done.
  void begun(const Key& key) { attempts_[key].busy = true; }
  [[nodiscard]] bool idle() const;  // no job is under way

  // Another leader may have acted meanwhile: what we knew of our own calls holds, that the guest is thawed does not.
  void begin_to_lead(Mono now);
  // Snapshots that need nothing more are forgotten by every sweeper, whoever leads: there may be thousands.
  void forget_if_finished(const Key& snapshot, Mono now);
  void forget(const Key& key) { attempts_.erase(key); }
  void forget_session(const std::string& uid);
  void forget_snapshot(const Key& key);
  void clean_up(Observed now);

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] const World& world() const { return world_; }
  [[nodiscard]] Looks& looks() { return looks_; }
  [[nodiscard]] Progress& progress(const std::string& session_uid) { return progress_[session_uid]; }
  [[nodiscard]] int failures(const Key& key) const;  // since its last success

  // A session that somebody deleted, or that has only lost the label by which it is watched.
  struct Lost {
    freeze::Session session;
    Mono since{};
    bool held = false;       // the guest may be frozen still
    bool unsettled = false;  // a call may come late
    [[nodiscard]] bool over(Mono now) const { return now >= since + session.timer + freeze::kLateCalls; }
  };
  // nullptr: there is none to care for.
  [[nodiscard]] const Lost* lost(const std::string& guest, Mono now);
  // False: a job for another of its snapshots may judge that backup.
  bool begin_to_judge(const std::string& backup_uid) { return judging_.insert(backup_uid).second; }

 private:
  struct Attempts {
    bool busy = false;
    int failures = 0;
  };

  void take(const News& news, Mono now);
  void note_if_lost(const freeze::Session& session, bool held);
  void ended(const std::string& uid, Mono now);
  [[nodiscard]] bool busy(const Key& key) const;
  void touch(const Key& key);
  void look_at_stray(const std::string& uid, Mono now);
  void done(const std::string& uid, const ThawDone& done, Mono now);
  void done(const std::string& uid, const ArmDone& done, Mono now);
  void done(const std::string& uid, const ConcludeDone& done, Mono now);
  void done(const std::string& uid, const EndRestDone& done, Mono now);
  void done(const Key& key, const OpenDone& done, Mono now);
  void done(const Key& key, const StrayDone& done, Mono now);
  void replan(const std::string& uid, const freeze::Session& session, bool gone, Mono now);
  void somebody_deleted(const freeze::Session& session, Mono now);

  const bool rescue_;
  World world_;
  Agenda<Key> agenda_;
  Looks looks_;
  std::set<std::string> judging_;  // backups that a job for one of their snapshots may judge
  std::map<Key, Attempts> attempts_;
  std::map<std::string, Progress> progress_;  // by uid of the session
  std::map<std::string, Lost> lost_;          // by guest
};

}  // namespace snapfreeze::sweeper
