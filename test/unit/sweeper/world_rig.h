// A world whose kinds have all been listed, and were empty.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sweeper/world/world.h"
#include "test/unit/sweeper/build.h"

namespace snapfreeze::test {

// A world whose news is heard as one.
struct HeardWorld {
  sweeper::World world{sweeper::ThawOn::kCaptured};
  sweeper::News heard;

  void hear(sweeper::News news) {
    heard.sessions.merge(news.sessions);
    heard.strays.merge(news.strays);
    heard.guests.merge(news.guests);
    heard.deleted.insert(heard.deleted.end(), news.deleted.begin(), news.deleted.end());
  }
  sweeper::News take_news() { return std::exchange(heard, {}); }
  void apply(const sweeper::Change& change, sweeper::Observed now) { hear(world.apply(change, now)); }
  void wrote(const freeze::Session& session, Mono now) { hear(world.wrote(session, now)); }
  void read_afresh(const freeze::Session& session, Mono now) { hear(world.read_afresh(session, now)); }
  void ended(const std::string& uid, Mono now) { hear(world.ended(uid, now)); }
  void judged(const std::string& uid, const freeze::Verdict& verdict) { hear(world.judged(uid, verdict)); }
  void judged_backup(const std::string& uid, const freeze::Verdict& verdict) {
    hear(world.judged_backup(uid, verdict));
  }
  void forget(const std::string& uid) { world.forget(uid); }
  void forget_old_backups(Wall bound, Mono now = kStart) { world.forget_old_backups(bound, now); }
  auto situation(const std::string& uid) const { return world.situation(uid); }
  auto stray(const std::string& uid) const { return world.stray(uid); }
  auto frozen_guest(const std::string& guest) const { return world.frozen_guest(guest); }
  auto snapshots_kept() const { return world.snapshots_kept(); }
  auto backups_kept() const { return world.backups_kept(); }
  const auto& phases() const { return world.phases(); }
};

struct WorldRig {
  WorldRig() {
    for (int kind = 0; kind < sweeper::kKinds; ++kind) relist(static_cast<sweeper::Kind>(kind), {}, Millis(0));
    world.take_news();
  }

  // It is added, if it is not known.
  void apply(sweeper::Kind kind, sweeper::Facts facts, Millis when = Millis(100),
             sweeper::Change::What what = sweeper::Change::What::kAdded) {
    world.apply({kind, what, std::move(facts)}, at(when));
  }
  void remove(sweeper::Kind kind, sweeper::Facts facts, Millis when = Millis(100)) {
    world.apply({kind, sweeper::Change::What::kDeleted, std::move(facts)}, at(when));
  }
  void relist(sweeper::Kind kind, const std::vector<sweeper::Facts>& all, Millis when = Millis(100)) {
    world.apply({kind, sweeper::Change::What::kRelistStarted, {}}, at(when));
    for (const sweeper::Facts& facts : all) apply(kind, facts, when, sweeper::Change::What::kApplied);
    world.apply({kind, sweeper::Change::What::kRelistDone, {}}, at(when));
  }
  void capture(const std::string& name, Millis when, sweeper::Kind kind = sweeper::Kind::kContent) {
    apply(kind, sweeper::CaptureFacts{"uid-" + name, true}, when);
  }
  sweeper::Situation now() { return *world.situation("epoch-1"); }
  sweeper::Sightings seen() { return now().sightings; }
  bool known() { return world.situation("epoch-1").has_value(); }

  HeardWorld world;
};

inline freeze::Session at_version(const std::string& version, freeze::Phase phase = freeze::Phase::kFrozen) {
  freeze::Session s = session(phase);
  s.resource_version = version;
  return s;
}

}  // namespace snapfreeze::test
