#include "test/double/runtime/agenda.h"

#include <nlohmann/json.hpp>

namespace cluster {

Agenda::Agenda(Runtime& runtime) : runtime_(runtime), fiber_(runtime.spawn("agenda", [this] { run(); })) {}

void Agenda::stop() {
  runtime_.kill(fiber_);
  runtime_.join(fiber_);
}

void Agenda::at(Mono when, std::function<void()> action) {
  const bool first = actions_.empty() || when < actions_.begin()->first.first;
  actions_.emplace(std::pair(when, next_id_++), std::move(action));
  if (first) runtime_.wake(changed_);
}

void Agenda::run() {
  Lock lock = runtime_.lock();
  while (true) {
    const Mono next = actions_.empty() ? kNever : actions_.begin()->first.first;
    if (runtime_.now() < next) {
      runtime_.wait_until(lock, changed_, next,
                          [&] { return !actions_.empty() && actions_.begin()->first.first < next; });
      continue;
    }
    const auto node = actions_.extract(actions_.begin());
    try {
      node.mapped()();
    } catch (const nlohmann::json::exception&) {
      // See the header.
    }
  }
}

}  // namespace cluster
