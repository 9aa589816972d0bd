// The one seam to the Kubernetes API: takes HTTP requests, returns HTTP replies. The files beside it know their
// meaning, so that a client over TLS and an in-memory cluster are interchangeable.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace snapfreeze::kube {

enum class Method { kGet, kPost, kPut, kPatch, kDelete };

struct Request {
  Method method = Method::kGet;
  std::string target;        // path and query, percent-encoded: "/api/v1/namespaces?limit=500"
  std::string body;          // JSON, or empty
  std::string content_type;  // of the body; empty when there is none
  // For the whole call, connecting included. The request may still be carried out afterwards.
  Millis timeout{5000};
  // By our monotonic clock: nothing of the request is written to a socket after this time. A process that was stopped
  // for minutes must not act on what held before. `timeout` bounds the whole call from the moment when call() is
  // entered, so only `send_by` holds for a caller that was stopped before that. A request that is too late is
  // kTransient, with `not_sent`.
  Mono send_by = Mono::max();
};

struct Response {
  int status = 0;
  std::string body;
  std::optional<Wall> date;  // the Date header: the API server's clock, whole seconds, truncated
  Mono sent{};               // just before the request was sent, by our clock
};

// Takes one line of a stream, without its newline; false ends the stream.
using LineSink = std::function<bool(std::string_view line)>;

// Thread-safe.
class KubeApi {
 public:
  virtual ~KubeApi() = default;

  // Any HTTP reply, whatever its status, is a Response. An Error (transient, cancelled) means that none came. Unless it
  // says `not_sent`, the request may have been carried out, or may be carried out later.
  virtual Result<Response> call(const Request& request) = 0;

  // Side by side if the implementation can. The results are in the order of the requests.
  virtual std::vector<Result<Response>> call_all(std::span<const Request> requests) {
    std::vector<Result<Response>> replies;
    replies.reserve(requests.size());
    for (const Request& request : requests) replies.push_back(call(request));
    return replies;
  }

  // Opens a watch and hands over its lines until the server ends it, the sink returns false, or no byte has come for
  // `idle`. request.timeout bounds the wait for the reply's header. A status other than 200 is an Error with that
  // status.
  virtual Result<void> stream(const Request& request, Millis idle, const LineSink& sink) = 0;
};

}  // namespace snapfreeze::kube
