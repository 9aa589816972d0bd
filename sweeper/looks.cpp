#include "sweeper/looks.h"

#include <algorithm>

namespace snapfreeze::sweeper {

Looks::Answer Looks::ask(const std::string& session_uid, const LookJob& wanted) {
  if (const auto ready = ready_.find(session_uid); ready != ready_.end()) return {ready->second, std::nullopt};
  const std::string& ns = wanted.namespace_;
  const auto running = running_.find(ns);
  if (running != running_.end() && running->second.contains(session_uid)) return {};
  waiting_[ns][session_uid] = wanted;
  if (running != running_.end() || running_.size() >= kAtOnce) return {};
  LookJob all;
  all.namespace_ = ns;
  for (auto& [uid, one] : waiting_[ns]) {
    for (const auto& [vm, told_until] : one.vms) {
      const auto [known, added] = all.vms.try_emplace(vm, told_until);
      if (!added && known->second != told_until) known->second.clear();
    }
    all.backups.merge(one.backups);
    all.since = std::min(all.since, one.since);
    all.reach_back_to(one.version);
    running_[ns].insert(uid);
  }
  waiting_.erase(ns);
  return {nullptr, std::move(all)};
}

std::vector<std::string> Looks::done(const std::string& ns, const std::shared_ptr<const Look>& look) {
  std::vector<std::string> next;
  if (const auto running = running_.find(ns); running != running_.end()) {
    for (const std::string& uid : running->second) {
      ready_[uid] = look;
      next.push_back(uid);
    }
    running_.erase(running);
  }
  for (const auto& [other, sessions] : waiting_) {
    for (const auto& [uid, wanted] : sessions) next.push_back(uid);
  }
  return next;
}

void Looks::forget(const std::string& session_uid) {
  ready_.erase(session_uid);
  for (auto& [ns, sessions] : waiting_) sessions.erase(session_uid);
  std::erase_if(waiting_, [](const auto& item) { return item.second.empty(); });
  for (auto& [ns, sessions] : running_) sessions.erase(session_uid);
}

void Looks::clear() {
  waiting_.clear();
  running_.clear();
  ready_.clear();
}

}  // namespace snapfreeze::sweeper
