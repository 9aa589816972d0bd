#include "sweeper/longhorn/http_longhorn.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread.h"
#include "kube/resolver.h"
#include "kube/server_url.h"
#include "sweeper/longhorn/answer.h"
#include "sweeper/longhorn/received.h"
#include "tls/wake_up.h"

namespace snapfreeze::sweeper {
namespace {

// How soon the guard sees that a call is too late or too much.
constexpr Millis kTick{10};
// In a cluster a connection is there within a millisecond; a packet filter that drops must not hold up a stop.
constexpr Millis kConnect{300};
constexpr std::uint64_t kMostReceived = 2 * kLongestAnswer;
// As many as ask at once.
constexpr std::size_t kMostKept = 4;

struct Connection {
  Connection(const std::string& host, int port) : client(host, port) {}

  httplib::ClientImpl client;
  std::atomic<int> fd{-1};
  std::string address;
};

// A call under way.
struct Call {
  Connection* connection = nullptr;
  Mono deadline{};
  std::uint64_t received_before = 0;
};

Error no_answer(const std::string& why) {
  return {Code::kTransient, "Longhorn: " + why};
}

}  // namespace

class HttpLonghorn::Impl {
 public:
  Impl(std::string host, int port) : host_(std::move(host)), port_(port), resolver_(host_, port_) {
    guard_ = start_thread("longhorn-guard", [this] { guard(); });
  }

  ~Impl() { stop(); }

  Result<HttpAnswer> post(const std::string& path_and_query, const std::string& body, Millis timeout) {
    const Mono deadline = std::chrono::steady_clock::now() + timeout;
    const auto addresses = resolver_.addresses({deadline, stop_.fd()});
    if (!addresses) return addresses.error();
    const std::string address = tls::ip_text(addresses->front());
    auto connection = take(address);
    const bool kept = connection->client.is_socket_open() != 0;
    auto answer = send(*connection, deadline, path_and_query, body);
    // A kept connection may have been closed just then. Asking twice changes nothing.
    if (!answer && answer.error().code == Code::kTransient && kept) {
      connection = open(address);
      answer = send(*connection, deadline, path_and_query, body);
    }
    if (answer) {
      give_back(std::move(connection));
    } else {
      resolver_.forget();
    }
    return answer;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    stop_.wake();
  }

 private:
  using Calls = std::list<Call>;

  // A kept connection, unless Longhorn has moved since.
  std::unique_ptr<Connection> take(const std::string& address) {
    {
      const std::lock_guard lock(mutex_);
      while (!kept_.empty()) {
        std::unique_ptr<Connection> kept = std::move(kept_.back());
        kept_.pop_back();
        if (kept->address == address) return kept;
      }
    }
    return open(address);
  }

  [[nodiscard]] std::unique_ptr<Connection> open(const std::string& address) const {
    auto made = std::make_unique<Connection>(host_, port_);
    made->address = address;
    made->client.set_hostname_addr_map({{host_, address}});
    made->client.set_keep_alive(true);
    made->client.set_tcp_nodelay(true);
    made->client.set_follow_location(false);
    made->client.set_decompress(false);
    made->client.set_socket_options([connection = made.get()](int fd) { connection->fd = fd; });
    return made;
  }

  void give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() < kMostKept) kept_.push_back(std::move(connection));
  }

  std::optional<Calls::iterator> begin(Connection& connection, Mono deadline) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return std::nullopt;
    const bool open = connection.client.is_socket_open() != 0;
    calls_.push_back({&connection, deadline, open ? bytes_received(connection.fd) : 0});
    changed_.notify_all();
    return std::prev(calls_.end());
  }

  // False: the process is stopping.
  bool end(Calls::iterator call) {
    const std::lock_guard lock(mutex_);
    calls_.erase(call);
    return !stopping_;
  }

  Result<HttpAnswer> send(Connection& connection, Mono deadline, const std::string& path_and_query,
                          const std::string& body) {
    const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    if (left <= Millis(0)) return no_answer("too late");
    connection.client.set_connection_timeout(std::min(kConnect, left));
    connection.client.set_read_timeout(left);
    connection.client.set_write_timeout(left);
    const auto call = begin(connection, deadline);
    if (!call) return Error{Code::kCancelled, "stopping"};
    auto answer = exchange(connection.client, path_and_query, body);
    const bool stopped = !end(*call);
    if (!answer && stopped) return Error{Code::kCancelled, "stopping"};
    return answer;
  }

  static Result<HttpAnswer> exchange(httplib::ClientImpl& client, const std::string& path_and_query,
                                     const std::string& body) {
    HttpAnswer answer;
    bool too_long = false;
    httplib::Request request;
    request.method = "POST";
    request.path = path_and_query;
    request.body = body;
    request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      too_long = answer.body.size() + size > kLongestAnswer;
      if (!too_long) answer.body.append(data, size);
      return !too_long;
    };
    const auto result = client.send(request);
    if (too_long) return no_answer("the answer is too long");
    if (!result) return no_answer(httplib::to_string(result.error()));
    answer.status = result->status;
    return answer;
  }

  // Repeated, because a call that is about to connect has no connection to shut down yet.
  void guard() {
    std::unique_lock lock(mutex_);
    while (!stopping_ || !calls_.empty()) {
      const Mono now = std::chrono::steady_clock::now();
      for (const Call& call : calls_) {
        const std::uint64_t received = bytes_received(call.connection->fd);
        const bool too_much = received > call.received_before + kMostReceived;
        if (stopping_ || now >= call.deadline || too_much) call.connection->client.stop();
      }
      if (calls_.empty()) {
        changed_.wait(lock, [this] { return stopping_ || !calls_.empty(); });
      } else {
        changed_.wait_for(lock, kTick);
      }
    }
  }

  const std::string host_;
  const int port_;
  kube::Resolver resolver_;
  tls::WakeUp stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Connection>> kept_;
  Calls calls_;
  bool stopping_ = false;
  std::jthread guard_;  // last: it uses all of the above
};

HttpLonghorn::HttpLonghorn(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpLonghorn::~HttpLonghorn() = default;

Result<std::unique_ptr<HttpLonghorn>> HttpLonghorn::make(const std::string& url) {
  const auto server = kube::parse_plain_url(url);
  if (!server) return server.error();
  return std::unique_ptr<HttpLonghorn>(new HttpLonghorn(std::make_unique<Impl>(server->host, server->port)));
}

Result<HttpAnswer> HttpLonghorn::post(const std::string& path_and_query, const std::string& body, Millis timeout) {
  return impl_->post(path_and_query, body, timeout);
}

void HttpLonghorn::stop() {
  impl_->stop();
}

}  // namespace snapfreeze::sweeper
