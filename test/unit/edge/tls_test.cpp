#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "test/support/catch.h"
#include "test/unit/edge/fixture.h"
#include "tls/context.h"

using namespace snapfreeze;
using namespace snapfreeze::edge;

namespace {

// A certificate for a client, signed by the authority, in `client`. `dns`: its other name, if any.
void give_certificate(const TlsClient& client, const Authority& authority, const char* name,
                      const std::string& dns = "") {
  const auto ca = certs::KeyPair::parse(authority.ca.certificate, authority.ca.key).value();
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate()));
  X509_EXTENSION* usage = X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, "clientAuth");
  X509_add_ext(certificate, usage, -1);
  X509_EXTENSION_free(usage);
  if (!dns.empty()) {
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + dns).c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
  }
  X509_sign(certificate, ca->key(), EVP_sha256());
  SSL_CTX_use_certificate(client.context(), certificate);
  SSL_CTX_use_PrivateKey(client.context(), key);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TlsClient offering(const TlsServer& server, int lowest, int highest) {
  TlsClient client(server.authority.ca.certificate);
  SSL_CTX_set_security_level(client.context(), 0);
  SSL_CTX_set_min_proto_version(client.context(), lowest);
  SSL_CTX_set_max_proto_version(client.context(), highest);
  return client;
}

}  // namespace

TEST_CASE("A client that trusts the CA is answered over TLS 1.2 and 1.3") {
  TlsServer server;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);

  Peer peer(server.port, offering(server, version, version));

  REQUIRE(peer.shaken());
  CHECK(SSL_version(peer.session()) == version);
  CHECK(peer.ask(post("{}")).body == "POST /mutate?timeout=10s 2");
}

TEST_CASE("A client that trusts another CA refuses the handshake") {
  TlsServer server;

  CHECK_FALSE(Peer(server.port, TlsClient(Authority("CA").ca.certificate)).shaken());
}

TEST_CASE("Where clients must show a certificate, only the right one is served") {
  const Authority apiservers("apiservers");
  ServerOptions options;
  options.clients = {apiservers.ca.certificate, {"kube-apiserver", "other"}};
  TlsServer server(options);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto status = [&](const TlsClient& client) { return Peer(server.port, client).ask(post("{}")).status; };

  CHECK(status(offering(server, version, version)) == 0);
  const TlsClient known = offering(server, version, version);
  give_certificate(known, apiservers, "kube-apiserver");
  CHECK(status(known) == 200);
  const TlsClient of_another_name = offering(server, version, version);
  give_certificate(of_another_name, apiservers, "kubelet");
  CHECK(status(of_another_name) == 0);
  const TlsClient of_another_ca = offering(server, version, version);
  give_certificate(of_another_ca, Authority("apiservers"), "kube-apiserver");
  CHECK(status(of_another_ca) == 0);
}

TEST_CASE("A client's name is the whole of its common name or of a DNS name, and no pattern") {
  const Authority apiservers;
  ServerOptions options;
  options.clients = {apiservers.ca.certificate, {"kube-apiserver.example.org"}};
  TlsServer server(options);
  const auto status = [&](const char* name, const std::string& dns) {
    const TlsClient client(server.authority.ca.certificate);
    give_certificate(client, apiservers, name, dns);
    return Peer(server.port, client).ask(post("{}")).status;
  };

  CHECK(status("kube-apiserver.example.org", "") == 200);
  CHECK(status("kube-apiserver", "") == 0);
  CHECK(status("kube-apiserver.example.org.evil", "") == 0);
  CHECK(status("any", "kube-apiserver.example.org") == 200);
  CHECK(status("any", "*.example.org") == 0);
  CHECK(status("any", "example.org") == 0);
}

TEST_CASE("A file of client CAs without a certificate, or with a damaged one, is refused at the start") {
  const Authority apiservers;
  const std::string good = apiservers.ca.certificate;
  const std::string bundle = GENERATE_COPY(std::string("-----BEGIN"), good + good.substr(0, good.size() / 2));
  ServerOptions options;
  options.clients.ca_bundle = bundle;
  certs::CertHolder holder;
  Server server(options, &holder, echo);

  const auto port = server.start();

  REQUIRE_FALSE(port.ok());
  CHECK(port.error().message.find("CA file for clients") != std::string::npos);
}

TEST_CASE("TLS 1.1 is refused") {
  TlsServer server;

  CHECK_FALSE(Peer(server.port, offering(server, TLS1_VERSION, TLS1_1_VERSION)).shaken());
}

TEST_CASE("Suites without forward secrecy or authenticated encryption are refused") {
  TlsServer server;
  const char* suite = GENERATE("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384");
  const TlsClient client = offering(server, TLS1_2_VERSION, TLS1_2_VERSION);
  REQUIRE(SSL_CTX_set_cipher_list(client.context(), suite) == 1);

  CHECK_FALSE(Peer(server.port, client).shaken());
}

TEST_CASE("Sessions are not resumed, so that each connection checks the certificate of its own time") {
  TlsServer server;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const TlsClient client = offering(server, version, version);
  Peer first(server.port, client);
  REQUIRE(first.ask(get("/")).status == 200);  // tickets of TLS 1.3 would have come by now

  SSL_SESSION* session = SSL_get1_session(first.session());
  CHECK(SSL_SESSION_is_resumable(session) == 0);
  SSL_SESSION_free(session);
}

TEST_CASE("HTTP/1.1 is chosen from what a client offers, and a client without it is refused") {
  TlsServer server;
  const TlsClient both(server.authority.ca.certificate);
  SSL_CTX_set_alpn_protos(both.context(), reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
  const TlsClient only_h2(server.authority.ca.certificate);
  SSL_CTX_set_alpn_protos(only_h2.context(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);

  Peer peer(server.port, both);
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(peer.session(), &chosen, &size);
  CHECK(std::string(reinterpret_cast<const char*>(chosen), size) == "http/1.1");
  CHECK_FALSE(Peer(server.port, only_h2).shaken());
}

TEST_CASE("Renegotiation is refused") {
  TlsServer server;
  Peer peer(server.port, offering(server, TLS1_2_VERSION, TLS1_2_VERSION));
  REQUIRE(peer.shaken());

  SSL_renegotiate(peer.session());

  CHECK_FALSE(SSL_do_handshake(peer.session()) == 1);
}

TEST_CASE("Without a certificate handshakes fail, and succeed as soon as there is one") {
  TlsServer server;
  server.holder.set(nullptr);
  CHECK_FALSE(server.connect().shaken());

  server.holder.set(server.authority.issue());
  CHECK(server.connect().shaken());
}

TEST_CASE("A new pair is served to new handshakes while old connections live on") {
  TlsServer server;
  Peer old = server.connect();
  const std::string old_serial = old.served_serial();

  const auto renewed = server.authority.issue();
  server.holder.set(renewed);
  Peer fresh = server.connect();

  CHECK(fresh.served_serial() == renewed->info().serial);
  CHECK(old.served_serial() == old_serial);
  CHECK(old.ask(post("{}")).status == 200);
  CHECK(fresh.ask(post("{}")).status == 200);
}
