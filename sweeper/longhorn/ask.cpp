#include "sweeper/longhorn/ask.h"

#include "base/json.h"
#include "kube/paths.h"

namespace snapfreeze::sweeper {

AskDone ask(LonghornApi& longhorn, const AskJob& job) {
  AskDone done{AskDone::End::kNoAnswer, job.session, job.snapshot, job.volume, {}};
  const Json question = Json::object({{"name", longhorn_name(job.snapshot)}});
  const auto said = longhorn.post("/v1/volumes/" + kube::percent_encode(job.volume) + "?action=snapshotGet",
                                  question.dump(), kAskTimeout);
  if (!said) {
    if (said.error().code == Code::kCancelled) done.end = AskDone::End::kCancelled;
    return done;
  }
  done.answer = read_answer(*said, job.snapshot);
  if (done.answer.says != LiveAnswer::Says::kNothing) done.end = AskDone::End::kAnswered;
  return done;
}

}  // namespace snapfreeze::sweeper
