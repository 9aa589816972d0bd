#include "test/unit/kube/https_bench.h"

namespace snapfreeze::kube {
namespace {

TEST_CASE("A reply has status, body, the server's date and when its request was sent") {
  TlsServer server({loopback_serving()}, [](Peer& peer) {
    peer.read_request();
    peer.write(http_reply("{}", 404, "Date: Mon, 23 Nov 2026 13:17:00 GMT\r\n"));
  });
  const Mono before = std::chrono::steady_clock::now();
  const auto reply = client_for(server)->call(get_of("/x"));
  REQUIRE(reply.ok());
  CHECK(reply->status == 404);
  CHECK(reply->body == "{}");
  CHECK(reply->date == Wall(std::chrono::seconds(1'795'439'820)));
  CHECK(reply->sent >= before);
  CHECK(reply->sent <= std::chrono::steady_clock::now());
}

TEST_CASE("A request says who asks, of whom, and how long its body is") {
  std::string request;
  TlsServer server({loopback_serving()}, [&](Peer& peer) {
    request = peer.read_request();
    peer.write(http_reply("{}"));
  });
  Config config = config_for(server.port());
  config.token = "secret";
  config.path_prefix = "/k8s/clusters/local";
  REQUIRE(client_of(config)->call(put_of("/apis/x?y=z")).ok());
  CHECK(request == "PUT /k8s/clusters/local/apis/x?y=z HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                       "\r\nUser-Agent: snapfreeze/test\r\nAccept: application/json\r\nAuthorization: Bearer secret"
                       "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

std::string refusal(const PemPair& serving, Config config = config_for(0), bool old_tls = false) {
  TlsServer server({serving, old_tls}, echo);
  config.port = server.port();
  const auto reply = client_of(config)->call(get_of("/x"));
  return reply.ok() ? "" : reply.error().message;
}

TEST_CASE("A server is known by its IP address, its host name or the name given") {
  CHECK(refusal(loopback_serving()).empty());
  Config by_name = config_for(0);
  by_name.host = "localhost";
  CHECK(refusal(serving_for({{"localhost"}, {}}), by_name).empty());
  Config named = config_for(0);
  named.tls_server_name = "kubernetes.default";
  CHECK(refusal(serving_for({{"kubernetes.default"}, {}}), named).empty());
}

TEST_CASE("A server of another name, address or authority is refused") {
  CHECK(refusal(serving_for({{"localhost"}, {"127.0.0.2"}})).find("IP address mismatch") != std::string::npos);
  // An IP address that stands as a name is none.
  CHECK(refusal(serving_for({{"127.0.0.1"}, {}})).find("IP address mismatch") != std::string::npos);
  Config by_name = config_for(0);
  by_name.host = "localhost";
  CHECK(refusal(serving_for({{"example.com"}, {"127.0.0.1"}}), by_name).find("hostname mismatch") != std::string::npos);
  Config other = config_for(0);
  other.ca_pem = certs::make_ca("other", std::chrono::system_clock::now())->certificate;
  CHECK(refusal(loopback_serving(), other).find("certificate is refused") != std::string::npos);
}

TEST_CASE("A server without TLS 1.2 is refused") {
  CHECK(refusal(loopback_serving(), config_for(0), true).find("TLS handshake") != std::string::npos);
}

TEST_CASE("A client certificate is shown to the server") {
  bool shown = false;
  TlsServerOptions options{loopback_serving()};
  options.client_ca = authority().certificate;
  TlsServer server(options, [&](Peer& peer) {
    shown = peer.has_certificate();
    echo(peer);
  });
  Config config = config_for(server.port());
  config.client_certificate_pem = loopback_serving().certificate;
  config.client_key_pem = loopback_serving().key;
  CHECK(client_of(config)->call(get_of("/x")).ok());
  CHECK(shown);
}

TEST_CASE("A certificate or key that cannot be read is refused by name") {
  const auto refused = [](const Config& config) {
    const auto client = HttpsClient::create(config, "test");
    REQUIRE_FALSE(client.ok());
    CHECK(client.error().code == Code::kMalformed);
    return client.error().message;
  };
  Config config;
  config.ca_pem = "no PEM";
  CHECK(refused(config).rfind("certificate authority: ", 0) == 0);
  config = Config();
  config.client_certificate_pem = "no PEM";
  CHECK(refused(config).rfind("client certificate: ", 0) == 0);
  config.client_certificate_pem = loopback_serving().certificate;
  config.client_key_pem = "no PEM";
  CHECK(refused(config).rfind("client key: ", 0) == 0);
  config.client_key_pem = authority().key;
  CHECK(refused(config).rfind("client key: ", 0) == 0);
}

}  // namespace
}  // namespace snapfreeze::kube
