// Longhorn's own REST API, as its manager answers it for the UI and the CSI driver: what the running engine of a volume
// has at the moment of the call, and not what its monitor saw up to 5 s ago.
//
//   POST /v1/volumes/<volume>?action=snapshotGet   {"name": "snapshot-<uid of the VolumeSnapshot>"}
//   POST /v1/volumes/<volume>?action=snapshotList  {}
#pragma once

#include <map>
#include <optional>
#include <string>

#include "test/double/api/http.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

class Truth;

// How the snapshots of one disk are shown.
struct LiveOptions {
  Millis delay{5};         // what a call about it takes
  bool lies = false;       // a snapshot is shown from its creation on, cut or not
  bool removed = false;    // marked as removed
  bool by_system = false;  // not made by a user: the engine's own, at a rebuild
  Millis vanishes{0};      // so long after it was first there; 0: it stays
  int others = 0;          // so many older snapshots of the volume
};

// Throws std::invalid_argument that names the field.
LiveOptions live_options_from_json(const Json& json);

// How Longhorn's backend answers everybody.
enum class BackendMood {
  kAnswers,
  kGone,      // nobody listens
  kHangs,     // no reply, ever
  kDribbles,  // a byte every 100 ms
  kRefuses,   // 503
  kErrors,    // 500: no engine
  kGarbage,   // each time of another kind
  kHuge,      // a snapshot of 8 MiB
  kCutShort,  // the connection ends in the middle of the body
};
BackendMood backend_mood(const std::string& word);  // "answers", "gone", "cut-short"; throws std::invalid_argument

struct BackendReply {
  enum class Pace { kAtOnce, kDribbles, kHangs, kCloses, kCutShort };
  Pace pace = Pace::kAtOnce;
  Reply reply;
};
inline constexpr Millis kDribbleEvery{100};

class LonghornBackend {
 public:
  LonghornBackend(Runtime& runtime, Truth& truth) : runtime_(runtime), truth_(truth) {}

  // Locks by itself; blocks as long as the call takes, but for a face's pace.
  BackendReply answer(const HttpRequest& request);
  // A call that has come is counted and noted; a face that sends it late calls this first. Locks by itself.
  void note_call(const HttpRequest& request);

  // Lock held.
  void add_volume(const std::string& volume, const LiveOptions& options);
  // `created`: as the engine noted it, in whole seconds.
  void add_snapshot(const std::string& volume, const std::string& name, const std::string& created);
  void remove_snapshot(const std::string& volume, const std::string& name);
  void set_mood(BackendMood mood, Mono until = kNever);

 private:
  struct Snapshot {
    std::string created;
    Mono since{};
  };
  struct Volume {
    LiveOptions options;
    std::map<std::string, Snapshot> snapshots;
  };

  [[nodiscard]] BackendMood mood() const;
  [[nodiscard]] bool is_shown(const Volume& volume, const Snapshot& snapshot) const;
  [[nodiscard]] Json object(const Volume& volume, const std::string& name, const Snapshot& snapshot) const;
  [[nodiscard]] Reply get(const std::string& name, const Volume& volume, const std::string& body) const;
  [[nodiscard]] Reply list(const Volume& volume) const;
  [[nodiscard]] Reply engine_says(const HttpRequest& request) const;
  BackendReply in_that_mood(BackendMood mood, const HttpRequest& request);

  Runtime& runtime_;
  Truth& truth_;
  std::map<std::string, Volume> volumes_;
  BackendMood mood_ = BackendMood::kAnswers;
  Mono mood_until_ = kNever;
  std::size_t garbage_ = 0;  // so many were served
};

}  // namespace cluster
