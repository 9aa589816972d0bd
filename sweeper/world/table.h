// Records by key, fed by a list and watch: a record that a relist does not name is gone. Indices tell which records
// have something in common. The table keeps them itself: only put() and change() change a record, and both index it
// anew. So although any object may change any of its fields at any time, no index entry outlives its record or the
// value that it was made from.
#pragma once

#include <array>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace snapfreeze::sweeper {

// What a list says of the records of one kind.
class Listed {
 public:
  virtual void relist_started() = 0;
  // The ids that were not named since.
  virtual std::vector<std::string> relist_done() = 0;

 protected:
  ~Listed() = default;
};

// Each index is a type with `static std::string key(const Record&)`; "" keeps the record out of it. References and sets
// that are returned are invalid after the next change.
template <class Record, class... Indices>
class Table final : public Listed {
 public:
  [[nodiscard]] const Record* find(const std::string& id) const {
    const auto found = items_.find(id);
    return found == items_.end() ? nullptr : &found->second.record;
  }
  [[nodiscard]] bool contains(const std::string& id) const { return items_.contains(id); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  // The ids of the records that have `key`.
  template <class Index>
  [[nodiscard]] const std::set<std::string>& at(const std::string& key) const {
    static const std::set<std::string> kNone;
    const auto& sets = sets_[position<Index>()];
    const auto found = sets.find(key);
    return found == sets.end() ? kNone : found->second;
  }

  template <class Visitor>
  void for_each(const Visitor& visit) const {
    for (const auto& [id, item] : items_) visit(id, item.record);
  }

  // Inserts or replaces, and names it, as far as a running relist goes.
  const Record& put(const std::string& id, Record record) {
    Item& item = items_[id];
    item.record = std::move(record);
    item.generation = generation_;
    index(id, item);
    return item.record;
  }
  // Of a record that is there; otherwise nothing happens.
  template <class Change>
  void change(const std::string& id, const Change& change) {
    const auto found = items_.find(id);
    if (found == items_.end()) return;
    change(found->second.record);
    index(id, found->second);
  }
  void erase(const std::string& id) {
    const auto found = items_.find(id);
    if (found == items_.end()) return;
    remove(id, found->second.keys);
    items_.erase(found);
  }

  void relist_started() override {
    ++generation_;
    relisting_ = true;
  }
  std::vector<std::string> relist_done() override {
    std::vector<std::string> gone;
    for (const auto& [id, item] : items_) {
      if (item.generation != generation_) gone.push_back(id);
    }
    relisting_ = false;
    synced_ = true;
    return gone;
  }
  // Exists, as far as a running relist goes.
  void name(const std::string& id) {
    const auto found = items_.find(id);
    if (found != items_.end()) found->second.generation = generation_;
  }
  // Once, and then for ever.
  [[nodiscard]] bool synced() const { return synced_; }
  // What comes now is part of a list.
  [[nodiscard]] bool relisting() const { return relisting_; }
  // What comes now is news, and not part of a list.
  [[nodiscard]] bool live() const { return synced_ && !relisting_; }

 private:
  static constexpr std::size_t kIndices = sizeof...(Indices);
  using Keys = std::array<std::string, kIndices>;
  struct Item {
    Record record;
    Keys keys;  // under which it is indexed now
    unsigned generation = 0;
  };

  template <class Index>
  static constexpr std::size_t position() {
    constexpr std::array<bool, kIndices> kSame{std::is_same_v<Index, Indices>...};
    for (std::size_t i = 0; i < kIndices; ++i) {
      if (kSame[i]) return i;
    }
    throw "no such index";  // does not compile
  }

  void index(const std::string& id, Item& item) {
    Keys keys{Indices::key(item.record)...};
    if (keys == item.keys) return;
    remove(id, item.keys);
    for (std::size_t i = 0; i < kIndices; ++i) {
      if (!keys[i].empty()) sets_[i][keys[i]].insert(id);
    }
    item.keys = std::move(keys);
  }
  void remove(const std::string& id, const Keys& keys) {
    for (std::size_t i = 0; i < kIndices; ++i) {
      const auto found = sets_[i].find(keys[i]);
      if (found == sets_[i].end()) continue;
      found->second.erase(id);
      if (found->second.empty()) sets_[i].erase(found);
    }
  }

  std::unordered_map<std::string, Item> items_;
  std::array<std::unordered_map<std::string, std::set<std::string>>, kIndices> sets_;
  unsigned generation_ = 0;
  bool relisting_ = false;
  bool synced_ = false;
};

}  // namespace snapfreeze::sweeper
