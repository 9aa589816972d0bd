// Whatever answers in Longhorn's place: a cut is one only if the answer says so of that very snapshot.
#include <nlohmann/json.hpp>

#include "sweeper/longhorn/answer.h"
#include "test/load/fuzz/fuzz.h"

using snapfreeze::fuzz::must;
namespace sweeper = snapfreeze::sweeper;
using Says = sweeper::LiveAnswer::Says;

namespace {

constexpr char kUid[] = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";

void check_cut(const sweeper::HttpAnswer& answer) {
  must(answer.status == 200, "no error is a cut");
  const auto said = nlohmann::json::parse(answer.body);
  must(said.at("name") == "snapshot-" + std::string(kUid), "another snapshot is none");
  must(said.at("usercreated") == true && said.at("removed") == false, "it is a user's, and there");
  must(said.at("created").is_string(), "it says when");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(snapfreeze::fuzz::text_of(data, size));
  for (const int status : {200, 500, 204, 0, -1}) {
    const sweeper::HttpAnswer answer{status, body};
    const auto read = sweeper::read_answer(answer, kUid);
    if (read.says == Says::kCut) check_cut(answer);
    must(read.says != Says::kNotYet || status == 500, "only Longhorn's own error says: not yet");
    must(sweeper::read_answer(answer, "").says != Says::kCut, "a snapshot without a name is none");
  }
  return 0;
}
