// Writes Events about objects.
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

}  // namespace snapfreeze::sweeper
