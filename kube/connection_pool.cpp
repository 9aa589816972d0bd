#include "kube/connection_pool.h"

#include <utility>

namespace snapfreeze::kube {

ConnectionPool::ConnectionPool(const Config& config, tls::Context context, std::size_t max_kept)
    : context_(std::move(context)),
      resolver_(config.host, config.port),
      verify_name_(config.tls_server_name.empty() ? config.host : config.tls_server_name),
      max_kept_(max_kept) {}

Result<Connection> ConnectionPool::connect(const tls::WaitLimit& limit) {
  const auto addresses = resolver_.addresses(limit);
  if (!addresses.ok()) return addresses.error();
  Error error{Code::kTransient, "the host has no address"};
  auto left = static_cast<Mono::rep>(addresses->size());
  for (const tls::Address& address : addresses.value()) {
    // A dead address must leave time for the next one.
    const Mono start = std::chrono::steady_clock::now();
    const tls::WaitLimit share{start + (limit.deadline - start) / left--, limit.stop_fd};
    Result<Connection> connection = tls::Stream::connect(context_, address, verify_name_, share);
    if (connection.ok() || connection.error().code == Code::kCancelled) return connection;
    error = connection.error();
  }
  resolver_.forget();
  return error;
}

Connection ConnectionPool::take() {
  for (;;) {
    Kept newest;
    {
      const std::lock_guard lock(mutex_);
      if (kept_.empty()) return nullptr;
      newest = std::move(kept_.back());
      kept_.pop_back();
    }
    if (std::chrono::steady_clock::now() - newest.since < kMaxIdle && !newest.connection->stale())
      return std::move(newest.connection);
  }
}

void ConnectionPool::keep(Connection connection) {
  const Mono since = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  kept_.push_back({std::move(connection), since});
  const auto outdated = [&] { return kept_.size() > max_kept_ || since - kept_.front().since >= kMaxIdle; };
  while (outdated()) kept_.erase(kept_.begin());
}

void ConnectionPool::clear() {
  const std::lock_guard lock(mutex_);
  kept_.clear();
}

}  // namespace snapfreeze::kube
