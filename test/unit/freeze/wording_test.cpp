#include "freeze/wording.h"

#include <cctype>

#include "freeze/names.h"
#include "test/support/catch.h"

using namespace snapfreeze;
using freeze::Consistency;
using freeze::crash;
using freeze::Verdict;
using freeze::words_of;
namespace reason = freeze::reason;

TEST_CASE("an Event says what a backup is worth, for how long the guest was frozen, and who is to blame") {
  const auto good = words_of(Verdict{Consistency::kFilesystem}, Millis(1500));
  CHECK_FALSE(good.warning);
  CHECK(good.reason == "FilesystemConsistent");
  CHECK(good.note == "all disks were captured while frozen; the guest was frozen for at most 1.5s");

  const auto offline = words_of(Verdict{Consistency::kOffline}, std::nullopt);
  CHECK_FALSE(offline.warning);
  CHECK(offline.reason == "OfflineConsistent");
  CHECK(offline.note == "the VM was not running while its disks were captured");

  const auto spoiled = words_of(crash(reason::kOtherBackup), Millis(30000), "VirtualMachineBackup b2");
  CHECK(spoiled.warning);
  CHECK(spoiled.reason == "CrashConsistent");
  CHECK(spoiled.note ==
        "crash-consistent only: other-backup (VirtualMachineBackup b2); the guest was frozen for at most 30s");
  CHECK(words_of(crash(reason::kNoAgent), std::nullopt).note == "crash-consistent only: no-agent");
}

TEST_CASE("the owner of a VM is told in words, and what to do") {
  const auto words = freeze::words_for_owner("nightly", crash(reason::kNoAgent));
  CHECK(words.warning);
  CHECK(words.reason == "CrashConsistent");
  CHECK(words.note == "backup nightly: crash-consistent only: " + freeze::explain_reason("no-agent"));
  CHECK(freeze::words_for_owner("b", crash(reason::kOtherBackup), "VirtualMachineBackup b2").note ==
        "backup b: crash-consistent only: " + freeze::explain_reason("other-backup") +
            "; because of VirtualMachineBackup b2");
}

// kube-apiserver: a reason of 1 to 128 characters, a note of 1024 at most.
TEST_CASE("the words of every Event are words that the API server accepts") {
  std::vector<freeze::Words> all{freeze::words_of_rescue(std::string(253, 'v')), freeze::words_of_unsettled_thaw()};
  for (const freeze::ReasonEntry& entry : freeze::kReasons) {
    all.push_back(words_of(crash(freeze::Reason::named(entry.name)), Millis(60000), std::string(300, 'c')));
  }
  for (const freeze::Words& words : all) {
    CAPTURE(words.note);
    CHECK(words.warning);
    CHECK(std::isupper(static_cast<unsigned char>(words.reason.front())) != 0);
    CHECK(words.reason.size() <= 128);
    CHECK_FALSE(words.note.empty());
    CHECK(words.note.size() <= 1024);
  }
}

TEST_CASE("a verdict in words: of a crash its reason, also one that only a newer version knows") {
  CHECK(freeze::explain(Verdict{Consistency::kFilesystem}, "") ==
        "every disk was captured during one freeze of the guest's filesystems");
  CHECK(freeze::explain(Verdict{Consistency::kOffline}, "").find("disks at rest") != std::string::npos);
  CHECK(freeze::explain(crash(reason::kRescued), "rescued") == freeze::explain_reason("rescued"));
  CHECK(freeze::explain(crash(reason::kUnverified), "from-the-future") == "from-the-future");
}

TEST_CASE("whoever makes a snapshot is told why its guest is not frozen") {
  CHECK(freeze::admission_warning(reason::kNoAgent) ==
        "snapfreeze: the guest is not frozen for this snapshot: no-agent");
}
