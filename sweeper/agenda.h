// What must be looked at again, and when.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.h"

namespace snapfreeze::sweeper {

template <class Key>
class Agenda {
 public:
  // Replaces the earlier entry. Mono::max(): not until something happens.
  void set(const Key& key, Mono when) {
    erase(key);
    if (when == Mono::max()) return;
    when_[key] = when;
    order_.emplace(when, key);
  }
  void erase(const Key& key) {
    const auto found = when_.find(key);
    if (found == when_.end()) return;
    order_.erase({found->second, key});
    when_.erase(found);
  }
  std::optional<Key> pop_due(Mono now) {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    const Key key = order_.begin()->second;
    erase(key);
    return key;
  }
  [[nodiscard]] Mono next() const { return order_.empty() ? Mono::max() : order_.begin()->first; }

 private:
  std::map<Key, Mono> when_;
  std::set<std::pair<Mono, Key>> order_;
};

}  // namespace snapfreeze::sweeper
