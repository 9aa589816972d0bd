// The sessions as the sweeper knows them: by their Leases, and by what its own writes returned.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweeper/situation.h"
#include "sweeper/world/guests.h"
#include "sweeper/world/table.h"

namespace snapfreeze::sweeper {

struct HoldRecord {
  freeze::Hold hold;
  Mono quiet_since{};  // when the hold, or its last new member, was first seen
  bool deleted = false;
  std::set<std::string> deleted_names;
};

struct SessionRecord {
  freeze::Session session;
  Sightings sightings;
  std::vector<HoldRecord> holds;

  HoldRecord* find(const freeze::Hold& hold);
};

// The longest time between a Lease's creation and our first sight of it for the session to count as watched from its
// birth. Both ends are bounds of the API server's clock, which alone cost 2 s.
inline constexpr std::chrono::seconds kBirth{5};

// Not thread-safe.
class Sessions {
 public:
  // What the watch, or a running list, says. False: it says nothing new. A list always wins: after a restore of etcd
  // the current object may have an older version than the one we know. If the list is outdated, the watch corrects it.
  bool apply(const freeze::Session& session, Observed now);
  // What a write of ours returned: taken if it is newer.
  bool wrote(const freeze::Session& session, Mono now);
  // What was read afresh after a conflict: it always wins.
  bool read_afresh(const freeze::Session& session, Mono now);

  // The record as it was. `by_us`: we deleted it, or read afresh that it is gone; the watch alone cannot bring it back.
  std::optional<SessionRecord> remove(const std::string& uid, Mono now, bool by_us);

  // What its guest looks like now, while the session holds it. `vmi`: nullptr when there is none.
  void saw_guest(const std::string& uid, const VmiRecord* vmi, bool kubevirt_snapshot);
  // A snapshot of its epoch was first seen, is gone, or has become another's.
  void member_came(const SnapshotFacts& member, Mono now);
  void member_left(const SnapshotFacts& member);
  void backup_left(const std::string& uid, const std::string& backup_uid);

  [[nodiscard]] const SessionRecord* find(const std::string& uid) const { return table_.find(uid); }
  // Only if its guest is of that namespace.
  [[nodiscard]] const SessionRecord* find_in(const std::string& ns, const std::string& uid) const;
  [[nodiscard]] const std::set<std::string>& of_guest(const std::string& guest) const {
    return table_.at<ByGuest>(guest);
  }
  // A session that we know, or knew within the hour, of a guest of another namespace: its label was planted.
  [[nodiscard]] bool is_elsewhere(const std::string& ns, const std::string& uid) const;

  template <class Visitor>
  void for_each(const Visitor& visit) const {
    table_.for_each(visit);
  }
  [[nodiscard]] const std::map<freeze::Phase, int>& phases() const { return phases_; }
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  [[nodiscard]] Listed& listed() { return table_; }

 private:
  struct ByGuest {
    static std::string key(const SessionRecord& record);
  };
  struct Ended {
    std::string namespace_;
    Mono at{};
    bool by_us = false;
    std::optional<Mono> released;  // see Sightings
  };

  bool replace(const freeze::Session& session, Mono now);
  void begin(const freeze::Session& session, Observed now);
  void remember(const SessionRecord& record, Mono now, bool by_us);

  Table<SessionRecord, ByGuest> table_;  // by uid
  std::map<freeze::Phase, int> phases_;  // how many are in each
  std::map<std::string, Ended> ended_;   // by uid
};

}  // namespace snapfreeze::sweeper
