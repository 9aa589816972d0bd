// The sessions that wait for a fresh look. A namespace has one look at a time, and few namespaces are looked at at
// once, however many sessions end together, because a look may read megabytes. A look serves all sessions that asked
// before it began, and none that asked later, since only a look that begins after a guest's thaw proves anything about
// it.
//
// Makes no call and reads no clock. Not thread-safe.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweeper/look.h"

namespace snapfreeze::sweeper {

class Looks {
 public:
  // How many namespaces are looked at side by side. A page of each kind takes some 15 MB while it is read.
  static constexpr std::size_t kAtOnce = 2;

  struct Answer {
    std::shared_ptr<const Look> look;  // or
    std::optional<LookJob> begin;      // to be run now; or neither: done() of another look says when to ask again
  };
  Answer ask(const std::string& session_uid, const LookJob& wanted);

  // The sessions that may now ask again.
  std::vector<std::string> done(const std::string& ns, const std::shared_ptr<const Look>& look);

  void forget(const std::string& session_uid);
  void clear();

 private:
  std::map<std::string, std::map<std::string, LookJob>> waiting_;  // namespace -> session -> what it asks for
  std::map<std::string, std::set<std::string>> running_;           // namespace -> the sessions that it serves
  std::map<std::string, std::shared_ptr<const Look>> ready_;       // by session
};

}  // namespace snapfreeze::sweeper
