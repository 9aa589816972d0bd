// One guest and its launcher; private to the files of Guests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "test/double/kubevirt/guests.h"

namespace cluster {

// A freeze or unfreeze on its way from virt-api to the launcher.
struct Guests::Call {
  std::string operation;
  std::string by;
  std::chrono::seconds timeout{0};  // of a freeze: 0 sets no timer
  std::optional<GuestFault> fault;
  std::uint64_t boot = 0;
  std::uint64_t resets = 0;  // when the agent began
  Mono begun;
  bool cancelled_timer = false;
  bool done = false;
  int status = 0;
  std::string message;
};

struct Guests::Guest {
  VmOptions options;

  // Claims of the VM, and those that only the running VMI has.
  [[nodiscard]] std::vector<std::string> disks() const;
  [[nodiscard]] std::vector<std::string> hot_plugged() const;
  std::string key;  // "namespace/name"
  bool powered = false;
  bool shutting_down = false;
  bool agent = true;
  bool paused = false;
  bool migrating = false;
  bool agent_says_frozen = false;  // the agent's own status; stays after VSS gave up
  bool vss_gave_up = false;
  std::uint64_t boot = 0;                // counts VMIs: what was begun in an earlier one is void
  std::uint64_t resets = 0;              // of this guest, from inside: the VMI stays
  std::uint64_t timer = 0;               // the armed timer, if any, carries this number
  std::uint64_t freezes = 0;             // tells one freeze from the next
  Mono agent_free{};                     // the agent carries out one command at a time
  int moves = 0;                         // migrations so far
  std::string launcher;                  // its pod
  std::string target;                    // the pod that a migration goes to
  std::vector<std::string> attachments;  // pods of the hot-plugged disks, in their order
  bool reported_frozen = false;
  bool poll_pending = false;
  Millis poll_phase{0};
  Json migration_state;
  std::vector<GuestFault> faults;
  std::vector<int> faults_seen;
};

}  // namespace cluster
