#include "webhook/outcome.h"

#include <utility>

#include "freeze/names.h"
#include "freeze/wording.h"

namespace snapfreeze::webhook {

Outcome crash(freeze::Reason why, const std::string& backup, const std::string& vm, std::string error) {
  return {why.name(),
          Marks{freeze::kEpochNone, backup, vm, freeze::crash(why)},
          {freeze::admission_warning(why)},
          std::move(error)};
}

}  // namespace snapfreeze::webhook
