#include "cli/drain/drain.h"

#include "cli/shared/home.h"
#include "freeze/lease.h"
#include "kube/list.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "webhook/budget.h"

namespace snapfreeze::cli {
namespace {

constexpr Millis kBetweenLooks{1000};

std::string in_words(const std::vector<freeze::Session>& sessions) {
  if (sessions.empty()) return "no guest is held; waiting for admissions that may still be under way";
  std::string words;
  for (const freeze::Session& session : sessions) {
    words += (words.empty() ? "waiting for " : ", ") + session.namespace_ + "/" + session.vm + " (" +
             std::string(to_string(session.phase)) + ")";
  }
  return words;
}

class Draining {
 public:
  Draining(kube::KubeApi& api, Clock& clock, const std::string& system_namespace, Millis patience,
           const std::function<void(const std::string&)>& say)
      : api_(api), clock_(clock), namespace_(system_namespace), end_(clock.monotonic() + patience), say_(say) {}

  Drain run() {
    while (!unregister()) {
      if (ended()) return std::move(result_);
    }
    Mono since = clock_.monotonic();  // nobody was seen to be held
    for (;;) {
      const bool read = look();
      if (!read || !result_.left.empty()) since = clock_.monotonic();
      if (read && clock_.monotonic() - since >= webhook::kLongestAdmission) {
        result_.end = Drain::End::kDrained;
        return std::move(result_);
      }
      if (ended()) return std::move(result_);
    }
  }

 private:
  // Both return whether the API server did it; if not, result_ says why.

  bool unregister() {
    const auto removed =
        kube::remove(api_, kube::object_path(kube::kMutatingWebhookConfigurations, "", kRegistrationName));
    if (!removed && removed.error().code != Code::kNotFound) return failed(removed.error());
    say(removed ? "the webhook's registration is gone: no backup freezes its VM any more"
                : "the webhook is not registered: no backup freezes its VM");
    return true;
  }

  bool look() {
    // Not found is a failure here: as an empty list it would mean that no guest is held.
    const auto sessions =
        kube::list_all(api_, kube::labelled_path(kube::kLeases, namespace_, freeze::kSessionLabel), freeze::from_lease);
    if (!sessions) return failed(sessions.error());
    result_.end = Drain::End::kHeld;
    result_.left.clear();
    for (const auto& session : *sessions) {
      // A session that names no guest holds none.
      if (session) result_.left.push_back(*session);
    }
    say(in_words(result_.left));
    return true;
  }

  bool failed(const Error& error) {
    result_.end = error.code == Code::kForbidden ? Drain::End::kNotAllowed : Drain::End::kUnreadable;
    result_.error = error;
    say(error.message);
    return false;
  }

  // Waits before the next look, if there is one. If no guest is held any more, only seconds are left.
  bool ended() {
    const bool almost = result_.end == Drain::End::kHeld && result_.left.empty();
    const bool over = clock_.monotonic() >= end_ && !almost;
    if (over || result_.end == Drain::End::kNotAllowed) return true;
    if (clock_.wait(kBetweenLooks)) return false;
    result_.end = Drain::End::kInterrupted;
    return true;
  }

  void say(const std::string& words) {
    if (words == said_) return;
    said_ = words;
    say_(words);
  }

  kube::KubeApi& api_;
  Clock& clock_;
  const std::string namespace_;
  const Mono end_;
  const std::function<void(const std::string&)>& say_;
  std::string said_;
  Drain result_;
};

}  // namespace

Drain drain(kube::KubeApi& api, Clock& clock, const std::string& system_namespace, Millis patience,
            const std::function<void(const std::string&)>& say) {
  return Draining(api, clock, system_namespace, patience, say).run();
}

}  // namespace snapfreeze::cli
