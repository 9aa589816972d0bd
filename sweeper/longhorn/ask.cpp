#include "sweeper/longhorn/ask.h"

#include "base/json.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "kube/views.h"

namespace snapfreeze::sweeper {
namespace {

constexpr std::string_view kDriver = "driver.longhorn.io";
constexpr Millis kReadTimeout{1000};

// What cannot come right by itself while a guest is held is not tried again.
AskDone::End end_of(const Error& error) {
  if (error.code == Code::kCancelled) return AskDone::End::kCancelled;
  return error.code == Code::kTransient ? AskDone::End::kNotKnown : AskDone::End::kNotForUs;
}

// Fills in done.volume, or says why not.
AskDone::End find_volume(kube::KubeApi& api, const AskJob& job, std::string& volume) {
  const auto claim =
      kube::get(api, kube::object_path(kube::kPersistentVolumeClaims, job.namespace_, job.claim), kReadTimeout);
  if (!claim) return end_of(claim.error());
  const auto wanted = kube::ClaimView::from(*claim);
  if (wanted.volume_name.empty()) return AskDone::End::kNotForUs;
  const auto object = kube::get(api, kube::object_path(kube::kPersistentVolumes, "", wanted.volume_name), kReadTimeout);
  if (!object) return end_of(object.error());
  const auto found = kube::VolumeView::from(*object);
  // A claim may name any volume; it has only the one that names it back.
  const bool bound = found.claim_namespace == job.namespace_ && found.claim_name == job.claim &&
                     (found.claim_uid.empty() || found.claim_uid == wanted.metadata.uid);
  if (!bound || found.driver != kDriver || found.handle.empty()) return AskDone::End::kNotForUs;
  volume = found.handle;
  return AskDone::End::kAnswered;
}

}  // namespace

AskDone ask(const Seams& seams, const AskJob& job) {
  AskDone done;
  done.session = job.session;
  done.snapshot = job.snapshot;
  done.volume = job.volume;
  if (done.volume.empty()) {
    done.end = find_volume(seams.api, job, done.volume);
    if (done.end != AskDone::End::kAnswered) return done;
  }
  const Json question = Json::object({{"name", longhorn_name(job.snapshot)}});
  const auto said = seams.longhorn->post("/v1/volumes/" + kube::percent_encode(done.volume) + "?action=snapshotGet",
                                         question.dump(), kAskTimeout);
  if (!said) {
    done.end = said.error().code == Code::kCancelled ? AskDone::End::kCancelled : AskDone::End::kNoAnswer;
    return done;
  }
  done.answer = read_answer(*said, job.snapshot);
  done.end = done.answer.says == LiveAnswer::Says::kNothing ? AskDone::End::kNoAnswer : AskDone::End::kAnswered;
  return done;
}

}  // namespace snapfreeze::sweeper
