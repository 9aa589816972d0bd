// The KubeApi over HTTP/1.1 and TLS.
//
// It speaks HTTP on OpenSSL itself and does not use cpp-httplib's client, whose time-outs are per read (a server that
// dribbles holds a call for ever), which cannot be stopped while it connects, verifies an IP address by its CN, and
// retries and pools nothing. Here each wait is one poll() with the call's own deadline. (Measured: on its SSLClient 111
// of these 121 tests passed; the reason of a refused certificate, and the exact stop, were lost.)
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "kube/api.h"
#include "kube/config.h"

namespace snapfreeze::kube {

// Thread-safe. Connections are verified against the CA and the host's name or IP address, TLS 1.2 or newer.
class HttpsClient : public KubeApi {
 public:
  static constexpr std::size_t kMaxReply = 16 << 20;  // bytes of a body; more is kTransient, too_large
  static constexpr std::size_t kMaxLine = 16 << 20;   // bytes of a line of a stream; etcd holds objects of 1.5 MiB
  static constexpr std::size_t kMaxConnections = 8;   // kept between calls, and used side by side by call_all

  // kMalformed: a certificate or key that OpenSSL cannot read; the message names it. Makes no connection.
  static Result<std::unique_ptr<HttpsClient>> create(const Config& config, const std::string& user_agent);
  ~HttpsClient() override;

  // Only a GET is sent again, once, if its kept connection turns out to be closed: any other request may have been
  // carried out.
  Result<Response> call(const Request& request) override;
  // The deadline of each request counts from the beginning of call_all.
  std::vector<Result<Response>> call_all(std::span<const Request> requests) override;
  Result<void> stream(const Request& request, Millis idle, const LineSink& sink) override;

  // Ends the running and all later streams at once with kCancelled. Calls go on, because they are short and bounded,
  // and a stopping process still has some to make. Async-signal-safe.
  void stop_streams();

 private:
  class Impl;
  explicit HttpsClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace snapfreeze::kube
