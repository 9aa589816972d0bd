// Writes Events (core/v1). Harvester's UI and kubectl show those that carry a first and a last time.
#pragma once

#include <string>

#include "freeze/wording.h"
#include "sweeper/seams.h"
#include "sweeper/write_verdict.h"

namespace snapfreeze::sweeper {

struct EventText {
  std::string id;  // unique for its content: written twice, it exists once
  freeze::Words words;
};

Written write_event(const Seams& seams, const std::string& identity, const Target& about, const EventText& text);

// About a VM, where its owner sees it. kubectl finds the Events of a VM by its uid, so the VM is read first. kGone:
// there is none, or none can have that name, so there is nobody to tell.
Written write_vm_event(const Seams& seams, const std::string& identity, const std::string& ns, const std::string& vm,
                       const EventText& text);

}  // namespace snapfreeze::sweeper
