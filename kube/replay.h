// What happened to the objects of a collection since some moment, objects that came and went included: no list shows
// those. It is a watch that resumes from that moment's resourceVersion and is left when it has caught up. Rests on the
// API concept "efficient detection of changes" of the Kubernetes documentation.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "kube/api.h"

namespace snapfreeze::kube {

struct Replay {
  std::string collection;  // path, from collection_path()
  std::string since;       // the resourceVersion of that moment
  std::string until;       // that of a list of the collection made since: what came later does not matter
  // Of the objects in that list, or in one before, as theirs says: so far it must come. "": it was empty. One that is
  // later than `until` is of another history, before a restore of etcd.
  std::string newest;
};

// Whether the second was given later than the first, or at once with it; false also if one is not a whole number. It
// compares versions of different kinds, as one etcd gives them all. An API server that keeps kinds apart
// (--etcd-servers-overrides) is told by a `since` that no list has reached yet, most of the time.
[[nodiscard]] bool is_not_after(const std::string& version, const std::string& other);

// A server that has nothing more to say is silent for so long. API servers replay from memory, in milliseconds.
inline constexpr Millis kReplayQuiet{250};
// How long it may go on.
inline constexpr Millis kLongestReplay{10'000};

// Hands over each object that was added, changed or deleted, as it was then, in the order of time. kGone: the server
// has forgotten that moment. kTransient: the stream broke, did not come to its end, fell silent before
// `newest`, or `since` is after `until`. Other errors are those of kube/rest.h.
Result<void> replay(KubeApi& api, const Clock& clock, const Replay& replay,
                    const std::function<void(const Json&)>& object);

}  // namespace snapfreeze::kube
