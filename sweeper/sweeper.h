// The sweeper: what the watches say goes in, jobs come out, and what became of them goes in again. It starts no thread,
// sleeps nowhere and makes calls only in run(), so that a simulation can drive it as well as threads.
//
//   watch --on_change--> World --plan--> take_due() --job--> run() --outcome--> done()
//
// At most one job a session is under way. Every sweeper keeps its world warm; only the leader is given jobs.
#pragma once

#include <compare>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "sweeper/agenda.h"
#include "sweeper/conclude.h"
#include "sweeper/end_rest.h"
#include "sweeper/judge_stray.h"
#include "sweeper/open.h"
#include "sweeper/planner.h"
#include "sweeper/seams.h"
#include "sweeper/thaw.h"
#include "sweeper/world/world.h"

namespace snapfreeze::sweeper {

struct Job {
  // What it is about; `id` is the uid of a session or snapshot, or a guest's key.
  struct Key {
    enum class About { kSession, kLostSession, kSnapshot, kFrozenGuest };
    About about = About::kSession;
    std::string id;
    auto operator<=>(const Key&) const = default;
  };
  Key key;
  std::variant<ThawJob, ConcludeJob, EndRestJob, OpenJob, StrayJob> what;
  bool again = false;  // it has failed before

  // kThaw: a guest waits for it, and it has not failed before.
  enum class Lane { kThaw, kThawAgain, kOther };
  [[nodiscard]] Lane lane() const {
    const bool thaws = std::holds_alternative<ThawJob>(what) || std::holds_alternative<OpenJob>(what);
    return thaws ? (again ? Lane::kThawAgain : Lane::kThaw) : Lane::kOther;
  }
};

struct Outcome {
  Job::Key key;
  std::variant<ThawDone, ConcludeDone, EndRestDone, OpenDone, StrayDone> what;
};

class Sweeper {
 public:
  struct Options {
    ThawOn thaw_on = ThawOn::kCaptured;
    bool rescue = true;  // thaw guests that Harvester has left frozen
  };

  Sweeper(const Seams& seams, Settings settings, Options options);

  // One thread at a time, as for all but run().
  void on_change(const Change& change);
  std::vector<Job> take_due();
  void done(const Outcome& outcome);
  // From now on what has begun is brought to its end, and no guest is touched any more.
  void wind_down() { winding_down_ = true; }
  [[nodiscard]] bool idle() const;  // no job is under way
  // When take_due() has something next. Earlier after on_change(), done(), and when leadership changes.
  [[nodiscard]] Mono next_wake() const;
  [[nodiscard]] bool synced() const { return world_.synced(); }
  [[nodiscard]] const World& world() const { return world_; }

  // Any thread, any number of jobs at once; within 60 s.
  [[nodiscard]] Outcome run(const Job& job) const;

 private:
  using Key = Job::Key;
  using About = Key::About;

  struct Attempts {
    bool busy = false;
    int failures = 0;
  };

  Observed now() const;
  void take(const News& news);
  void look_at_stray(const std::string& uid);
  void forget_if_finished(const Key& key, Mono now);
  void clean_up(Observed now);
  void begin_to_lead();
  void touch(const Key& key);
  void wake_at(const Key& key, Mono when, Mono now);
  void count_sessions();

  std::optional<Job> plan(const Key& key, Observed now);
  std::optional<Job> plan_session(const Key& key, Observed now);
  std::optional<Job> plan_lost_session(const Key& key, Observed now);
  std::optional<Job> plan_stray(const Key& key, Observed now);
  std::optional<Job> plan_rescue(const Key& key, Observed now);
  ThawJob thaw_job(const Situation& situation, const Plan& plan, const Progress& progress) const;
  ConcludeJob conclude_job(const Situation& situation, const Progress& progress, Mono now) const;
  EndRestJob end_rest_job(const Situation& situation, bool abandoned) const;

  void done(const std::string& uid, const ThawDone& done);
  void done(const std::string& uid, const ConcludeDone& done);
  void done(const std::string& uid, const EndRestDone& done);
  void done(const Key& key, const StrayDone& done);
  void failed(Progress& progress) const;
  void replan(const std::string& uid, const freeze::Session& now, bool gone);
  void somebody_deleted(const freeze::Session& session);

  const Seams& seams_;
  const Settings settings_;
  const Options options_;
  World world_;
  Agenda<Key> agenda_;
  std::map<Key, Attempts> attempts_;
  std::map<std::string, Progress> progress_;  // by uid of the session
  struct Lost {
    freeze::Session session;
    Mono since{};
  };
  std::map<std::string, Lost> lost_;      // by guest
  std::map<freeze::Phase, int> counted_;  // as the metrics say
  bool leads_ = false;
  bool winding_down_ = false;
  Mono next_cleaning_ = Mono::max();
};

}  // namespace snapfreeze::sweeper
