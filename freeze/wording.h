// What is said of verdicts to people: in Events, in the warnings of an admission, and by the command line. One place,
// so that none of them says it differently. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "freeze/verdict.h"

namespace snapfreeze::freeze {

// Of an Event.
struct Words {
  bool warning = false;
  std::string_view reason{};  // CamelCase
  std::string note{};
};

// `frozen_for`: at most. `culprit`: who is behind the reason, or "".
[[nodiscard]] Words words_of(const Verdict& verdict, std::optional<Millis> frozen_for, const std::string& culprit = "");
// The same to the VM's owner, who may know neither the backup's page nor our reasons. `backup`: as it is called.
[[nodiscard]] Words words_for_owner(const std::string& backup, const Verdict& verdict, const std::string& culprit = "");
[[nodiscard]] Words words_of_rescue(const std::string& vm);
// Of a guest whose thaw no reply has confirmed for as long as it is tried.
[[nodiscard]] Words words_of_unsettled_thaw();

// To whoever creates a snapshot for which the guest is not frozen.
[[nodiscard]] std::string admission_warning(Reason reason);

// Why a verdict is what it is. `reason` as it stands on the object, since a newer version may have written it.
[[nodiscard]] std::string explain(const Verdict& verdict, std::string_view reason);

// "no-agent: the guest agent is not connected (install ...)"; the name alone of one that is not known.
[[nodiscard]] std::string explain_reason(std::string_view name);

}  // namespace snapfreeze::freeze
