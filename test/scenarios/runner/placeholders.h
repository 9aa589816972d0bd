// Values that are not known when a scenario is written. "${epoch:db}" in a name or a value is replaced when its event
// happens.
#pragma once

#include <functional>
#include <string>

namespace runner {

// ${epoch:<vm>}             the uid of the VM's session, a Lease
// ${lease:<vm>}             its name
// ${uid:<kind>/<ns>/<name>} the uid of an object; ${uid:backup/<name>} and the like for what the file itself names
// ${snapshot:<backup>/<disk>}  what Harvester calls its VolumeSnapshot
// ${namespace:<name>}       what the namespace is called on the level
struct Placeholder {
  std::string word;  // epoch, lease, uid, snapshot, namespace
  std::string of;
};

using Resolve = std::function<std::string(const Placeholder& placeholder)>;

// The text, with each placeholder replaced by what `resolve` returns for it.
[[nodiscard]] std::string filled(const std::string& text, const Resolve& resolve);

// What is wrong with the text's placeholders, or "".
[[nodiscard]] std::string placeholder_problem(const std::string& text);

}  // namespace runner
