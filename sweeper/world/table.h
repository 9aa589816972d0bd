// Records by key, fed by a list and watch: what a relist does not name is gone.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace snapfreeze::sweeper {

template <class Record>
class Table {
 public:
  // Inserts or keeps; either way it exists, as far as a running relist goes.
  Record& name(const std::string& key) {
    Item& item = items_[key];
    item.generation = generation_;
    return item.record;
  }
  Record* find(const std::string& key) {
    const auto found = items_.find(key);
    return found == items_.end() ? nullptr : &found->second.record;
  }
  const Record* find(const std::string& key) const { return const_cast<Table*>(this)->find(key); }
  void erase(const std::string& key) { items_.erase(key); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  template <class Visitor>
  void for_each(const Visitor& visit) const {
    for (const auto& [key, item] : items_) visit(key, item.record);
  }

  void relist_started() {
    ++generation_;
    relisting_ = true;
  }
  // The keys that were not named since.
  std::vector<std::string> relist_done() {
    std::vector<std::string> gone;
    for (const auto& [key, item] : items_) {
      if (item.generation != generation_) gone.push_back(key);
    }
    relisting_ = false;
    synced_ = true;
    return gone;
  }
  // Once, and then for ever.
  [[nodiscard]] bool synced() const { return synced_; }
  // What comes now is news, and not part of a list.
  [[nodiscard]] bool live() const { return synced_ && !relisting_; }

 private:
  struct Item {
    Record record;
    unsigned generation = 0;
  };
  std::unordered_map<std::string, Item> items_;
  unsigned generation_ = 0;
  bool relisting_ = false;
  bool synced_ = false;
};

// Which records have a key in common.
class Index {
 public:
  void add(const std::string& key, const std::string& record) { sets_[key].insert(record); }
  void remove(const std::string& key, const std::string& record) {
    const auto found = sets_.find(key);
    if (found == sets_.end()) return;
    found->second.erase(record);
    if (found->second.empty()) sets_.erase(found);
  }
  [[nodiscard]] bool contains(const std::string& key) const { return sets_.contains(key); }
  // Invalid after the next change.
  [[nodiscard]] const std::set<std::string>& at(const std::string& key) const {
    static const std::set<std::string> kNone;
    const auto found = sets_.find(key);
    return found == sets_.end() ? kNone : found->second;
  }

 private:
  std::unordered_map<std::string, std::set<std::string>> sets_;
};

}  // namespace snapfreeze::sweeper
