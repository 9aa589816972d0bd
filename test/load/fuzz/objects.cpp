// Every object that a watch may bring: whatever its fields hold, it is read or refused. A session that was read is
// written as the same session again.
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "freeze/interference.h"
#include "freeze/lease.h"
#include "freeze/session.h"
#include "sweeper/facts.h"
#include "test/load/fuzz/fuzz.h"

using snapfreeze::Json;
using snapfreeze::fuzz::must;
namespace freeze = snapfreeze::freeze;
namespace sweeper = snapfreeze::sweeper;

namespace {

void check_session(const Json& object) {
  const auto session = freeze::from_lease(object);
  if (!session || session->phase == freeze::Phase::kNewer) return;  // such a one is never written
  must(!session->namespace_.empty() && !session->vm.empty(), "a session says which guest it is about");
  // As the API server keeps it: created, then patched.
  nlohmann::json lease = nlohmann::json::parse(freeze::to_lease(*session, "own").dump());
  lease.merge_patch(nlohmann::json::parse(freeze::to_patch(*session).dump()));
  if (session->created) lease["metadata"]["creationTimestamp"] = snapfreeze::format_time(*session->created);
  const auto again = freeze::from_lease(Json::parse(lease.dump()).value());
  must(again.ok(), "what was written can be read");
  must(again->phase == session->phase && again->holds == session->holds && again->doubts == session->doubts &&
           again->captured == session->captured && again->unsettled == session->unsettled &&
           again->intent == session->intent && again->vmi_uid == session->vmi_uid,
       "a session that is written is read as the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto object = Json::parse(snapfreeze::fuzz::text_of(data, size));
  if (!object) return 0;
  check_session(*object);
  for (int kind = 0; kind < sweeper::kKinds; ++kind) {
    (void)sweeper::facts_of(static_cast<sweeper::Kind>(kind), *object, sweeper::ThawOn::kCaptured);
  }
  const freeze::Freezer freezers[] = {freeze::harvester_backup(*object), freeze::kubevirt_snapshot(*object),
                                      freeze::kubevirt_backup(*object)};
  freeze::Session session;
  session.timer = std::chrono::seconds(30);
  const freeze::Freezer* found = freeze::harvester_interfered(session, snapfreeze::Millis(1000), freezers);
  must(found == nullptr || found->vm == session.vm, "only a backup of this VM interferes");
  return 0;
}
