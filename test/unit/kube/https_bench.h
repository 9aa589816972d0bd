// What the tests of HttpsClient share: a test authority, clients that trust it, requests.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "kube/https_client.h"
#include "test/support/catch.h"
#include "test/unit/kube/tls_server.h"

namespace snapfreeze::kube {

using certs::PemPair;

inline const PemPair& authority() {
  static const PemPair kAuthority = certs::make_ca("test", std::chrono::system_clock::now()).value();
  return kAuthority;
}

inline PemPair serving_for(const certs::SubjectAltNames& names) {
  return certs::issue_serving(authority(), names, std::chrono::system_clock::now()).value();
}

inline const PemPair& loopback_serving() {
  static const PemPair kServing = serving_for({{"localhost"}, {"127.0.0.1"}});
  return kServing;
}

inline Config config_for(int port) {
  Config config;
  config.host = "127.0.0.1";
  config.port = port;
  config.ca_pem = authority().certificate;
  return config;
}

inline std::unique_ptr<HttpsClient> client_of(const Config& config) {
  auto client = HttpsClient::create(config, "snapfreeze/test");
  REQUIRE(client.ok());
  return std::move(client).value();
}

inline std::unique_ptr<HttpsClient> client_for(const TlsServer& server) {
  return client_of(config_for(server.port()));
}

inline Request get_of(std::string target, Millis timeout = Millis(5000)) {
  return {Method::kGet, std::move(target), "", "", timeout};
}
inline Request put_of(std::string target, Millis timeout = Millis(5000)) {
  return {Method::kPut, std::move(target), "{}", "application/json", timeout};
}

// Answers each request with its first line.
inline void echo(Peer& peer) {
  for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
    peer.write(http_reply(request.substr(0, request.find("\r\n"))));
  }
}

inline void pause(int milliseconds) {
  std::this_thread::sleep_for(Millis(milliseconds));
}

// A busy machine may be this late, and what the tests guard against is ten times later.
inline constexpr Millis kSlack{2000};

class Stopwatch {
 public:
  [[nodiscard]] Millis elapsed() const {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now() - begin_);
  }

 private:
  Mono begin_ = std::chrono::steady_clock::now();
};

}  // namespace snapfreeze::kube
