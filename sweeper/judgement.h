// Judges the snapshots and backups of a session, from what was watched and from a fresh look. Its only calls read
// snapshots by name, if those decide. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "freeze/interference.h"
#include "freeze/verdict.h"
#include "sweeper/conclude.h"

namespace snapfreeze::sweeper {

class Judgement {
 public:
  Judgement(const Seams& seams, const Settings& settings, const ConcludeJob& job);

  // The session with all doubts found so far.
  [[nodiscard]] freeze::Session& session() { return session_; }
  [[nodiscard]] const freeze::Session& session() const { return session_; }

  // False: the objects that the look leaves open could not be read, or it has a gap that matters.
  bool take(const std::shared_ptr<const Look>& look);

  [[nodiscard]] const std::vector<const Member*>& members() const { return members_; }
  freeze::Verdict judge(const Member& member);
  void snapshot_is_gone(const std::string& name);

  // nullopt: the backup no longer exists, or there is nothing to say about it.
  std::optional<freeze::Verdict> judge_hold(std::size_t index);
  // The first of the hold's snapshots that exists, or nullptr.
  [[nodiscard]] const Member* first_member(std::size_t hold) const;
  // The verdict that a former leader left on the backup. A shared look may be older than our own verdict.
  [[nodiscard]] std::optional<freeze::Verdict> standing(const freeze::Hold& hold) const;

  // What caused the reason, for an admin; "" when it is nothing in particular.
  [[nodiscard]] std::string culprit(freeze::Reason reason) const;

 private:
  bool read_snapshots_of(std::vector<freeze::Freezer>& others) const;
  bool read_snapshots_of(freeze::Freezer& other, std::size_t& budget) const;
  void doubt_guest(const std::optional<kube::VmiView>& state);
  freeze::Verdict judge_disk(const Member& member);
  [[nodiscard]] freeze::Reason why_missing(const std::vector<std::string>& names) const;
  [[nodiscard]] bool is_deleted(const HoldSituation& hold, const std::string& name) const;

  const Seams& seams_;
  const Settings& settings_;
  const ConcludeJob& job_;
  freeze::Session session_;
  std::shared_ptr<const Look> look_;
  std::vector<const Member*> members_;               // of the session's namespace
  std::map<std::string, freeze::Verdict> verdicts_;  // of this epoch's snapshots, by name
  std::set<std::string> gone_;
  std::map<freeze::Reason, std::string> culprits_;  // by reason
};

}  // namespace snapfreeze::sweeper
