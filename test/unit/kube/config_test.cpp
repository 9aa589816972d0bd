#include <cstdlib>
#include <optional>
#include <string>

#include "kube/kubeconfig.h"
#include "test/support/catch.h"
#include "test/unit/kube/directory.h"

namespace snapfreeze::kube {
namespace {

// Sets a variable until the end of the test; nullptr unsets it.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    const char* before = std::getenv(name);
    if (before != nullptr) before_ = before;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Environment() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// Whoever runs the tests may have a proxy.
struct NoProxy {
  Environment a{"HTTPS_PROXY", nullptr}, b{"https_proxy", nullptr}, c{"NO_PROXY", nullptr}, d{"no_proxy", nullptr};
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string error_of(const Result<Config>& config) {
  if (config.ok()) return "";
  CHECK(config.error().code == Code::kMalformed);
  return config.error().message;
}

// A kubeconfig with one context "c" of cluster "k" and user "u".
std::string kubeconfig_text(const std::string& cluster, const std::string& user, const std::string& context = "") {
  return "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
         "contexts: [{name: c, context: {cluster: k, user: u" +
         context +
         "}}]\n"
         "clusters: [{name: k, cluster: {" +
         cluster +
         "}}]\n"
         "users: [{name: u, user: {" +
         user + "}}]\n";
}

Result<Config> read(const std::string& cluster, const std::string& user, const std::string& context = "") {
  const Directory directory;
  return kubeconfig(directory.write("config", kubeconfig_text(cluster, user, context)));
}

TEST_CASE("A kubeconfig gives server, authority, token and namespace") {
  const auto config = read("server: 'https://10.0.0.1:6443', certificate-authority-data: Q0E=, tls-server-name: k8s",
                           "token: secret", ", namespace: ns");
  REQUIRE(config.ok());
  CHECK(config->host == "10.0.0.1");
  CHECK(config->port == 6443);
  CHECK(config->path_prefix.empty());
  CHECK(config->ca_pem == "CA");
  CHECK(config->tls_server_name == "k8s");
  CHECK(config->token == "secret");
  CHECK(config->namespace_ == "ns");
}

TEST_CASE("A server's path is kept: Rancher's clusters have one") {
  CHECK(read("server: 'https://h/k8s/clusters/local'", "")->path_prefix == "/k8s/clusters/local");
}

TEST_CASE("A kubeconfig without a namespace means default") {
  CHECK(read("server: 'https://h'", "")->namespace_ == "default");
}

TEST_CASE("Files of a kubeconfig are relative to it, and data wins over a file") {
  const Directory directory;
  directory.write("ca.pem", "CA");
  directory.write("cert.pem", "CERT");
  directory.write("key.pem", "KEY");
  directory.write("token", "secret\n");
  const auto config = kubeconfig(directory.write(
      "config", kubeconfig_text("server: 'https://h', certificate-authority: ca.pem",
                                "client-certificate: cert.pem, client-key: key.pem, client-key-data: REFUQQ==, "
                                "tokenFile: token")));
  REQUIRE(config.ok());
  CHECK(config->ca_pem == "CA");
  CHECK(config->client_certificate_pem == "CERT");
  CHECK(config->client_key_pem == "DATA");
  CHECK(config->token_file == directory.path() + "/token");
}

TEST_CASE("What a kubeconfig asks that we cannot do is refused by name") {
  for (const char* field : {"exec: {command: aws}", "auth-provider: {name: oidc}", "username: me", "password: pw",
                            "as: other", "as-uid: u", "as-groups: [g]", "as-user-extra: {k: [v]}"}) {
    const std::string name(field, std::string(field).find(':'));
    CAPTURE(name);
    CHECK(contains(error_of(read("server: 'https://h'", field)), "config: users[u].user." + name + ": "));
  }
  CHECK(contains(error_of(read("server: 'https://h', insecure-skip-tls-verify: true", "")),
                 "clusters[k].cluster.insecure-skip-tls-verify: is not supported; give"));
  CHECK(contains(error_of(read("server: 'https://h', proxy-url: 'http://p'", "")), "clusters[k].cluster.proxy-url: "));
  CHECK(read("server: 'https://h', insecure-skip-tls-verify: false", "").ok());
}

TEST_CASE("A server without TLS is refused") {
  CHECK(contains(error_of(read("server: 'http://127.0.0.1:8080'", "")),
                 "clusters[k].cluster.server: \"http://127.0.0.1:8080\" is without TLS"));
}

TEST_CASE("Errors of a kubeconfig name file, field and what would be right") {
  CHECK(contains(error_of(read("server: 'https://h', certificate-authority-data: '!'", "")),
                 "certificate-authority-data: is not base64"));
  CHECK(
      contains(error_of(read("server: 'https://h', certificate-authority: none.pem", "")), "none.pem: cannot be read"));
  CHECK(contains(error_of(read("server: 'https://h'", "client-certificate-data: QQ==")), "without the other"));
  CHECK(contains(error_of(read("server: 'https://h'", "token: 'a b'")), "users[u].user.token: one line"));
  CHECK(contains(error_of(read("server: 'https://h'", "tokenFile: none")), "users[u].user.tokenFile: "));
  CHECK(contains(error_of(read("server: ", "")), "clusters[k].cluster.server: "));
}

TEST_CASE("A context that is not there is refused with those that are") {
  const Directory directory;
  const std::string file = directory.write("config", kubeconfig_text("server: 'https://h'", ""));
  CHECK(error_of(kubeconfig(file, "prod")) == file + ": contexts: has no entry named \"prod\"; there is: c");
  CHECK(kubeconfig(file, "c").ok());
}

TEST_CASE("What is no kubeconfig is refused by file") {
  const Directory directory;
  for (const char* text : {"", "just text", "[1, 2]", "a: [", "contexts: 7\ncurrent-context: c", "current-context: [c]",
                           "current-context: c\ncontexts: [7]"}) {
    CAPTURE(text);
    const std::string file = directory.write("config", text);
    CHECK(contains(error_of(kubeconfig(file)), file + ": "));
  }
  CHECK(contains(error_of(kubeconfig(directory.path() + "/none")), "/none: cannot be read: No such file"));
}

TEST_CASE("In a cluster the service account says who we are") {
  const Directory directory;
  directory.write("token", "secret");
  directory.write("ca.crt", "CA");
  directory.write("namespace", "snapfreeze\n");
  const Environment host("KUBERNETES_SERVICE_HOST", "fd00::1");
  const Environment port("KUBERNETES_SERVICE_PORT", "6443");
  const auto config = in_cluster_config(directory.path());
  REQUIRE(config.ok());
  CHECK(config->host == "fd00::1");
  CHECK(config->port == 6443);
  CHECK(config->ca_pem == "CA");
  CHECK(config->token_file == directory.path() + "/token");
  CHECK(config->namespace_ == "snapfreeze");
}

TEST_CASE("What is missing in a cluster is named") {
  const Directory directory;
  const Environment host("KUBERNETES_SERVICE_HOST", "10.0.0.1");
  {
    const Environment port("KUBERNETES_SERVICE_PORT", nullptr);
    CHECK(contains(error_of(in_cluster_config(directory.path())), "KUBERNETES_SERVICE_PORT are not set"));
  }
  {
    const Environment port("KUBERNETES_SERVICE_PORT", "https");
    CHECK(contains(error_of(in_cluster_config(directory.path())), "\"https\" is not a port"));
  }
  const Environment port("KUBERNETES_SERVICE_PORT", "443");
  CHECK(contains(error_of(in_cluster_config(directory.path())), "automountServiceAccountToken: true"));
  directory.write("token", "secret");
  CHECK(contains(error_of(in_cluster_config(directory.path())), "/ca.crt: cannot be read"));
}

TEST_CASE("The file named wins over KUBECONFIG, and that over the cluster") {
  const Directory directory;
  const std::string named = directory.write("named", kubeconfig_text("server: 'https://named'", ""));
  const std::string other = directory.write("other", kubeconfig_text("server: 'https://other'", ""));
  const NoProxy no_proxy;
  const Environment host("KUBERNETES_SERVICE_HOST", "10.0.0.1");
  const Environment variable("KUBECONFIG", other.c_str());
  CHECK(load_config(named)->host == "named");
  CHECK(load_config()->host == "other");
}

TEST_CASE("Without a file and a cluster, the kubeconfig of the user counts") {
  const Directory directory;
  std::filesystem::create_directory(directory.path() + "/.kube");
  directory.write(".kube/config", kubeconfig_text("server: 'https://home'", ""));
  const Environment host("KUBERNETES_SERVICE_HOST", nullptr);
  const Environment variable("KUBECONFIG", nullptr);
  const NoProxy no_proxy;
  const Environment home("HOME", directory.path().c_str());
  CHECK(load_config()->host == "home");
}

TEST_CASE("Several files in KUBECONFIG are merged as kubectl merges them") {
  const Directory directory;
  const NoProxy no_proxy;
  const std::string first = directory.write("first",
                                            "contexts: [{name: a, context: {cluster: k, user: u}}]\n"
                                            "clusters: [{name: k, cluster: {server: 'https://first'}}]\n");
  std::filesystem::create_directory(directory.path() + "/other");
  directory.write("other/token", "secret");
  const std::string second =
      directory.write("other/second",
                      "current-context: a\n"
                      "contexts: [{name: a, context: {cluster: gone, user: gone}}]\n"
                      "clusters: [{name: k, cluster: {server: 'https://second', tls-server-name: x}}]\n"
                      "users: [{name: u, user: {tokenFile: token}}]\n");
  const std::string third = directory.write("third", "current-context: none\n");
  const std::string empty = directory.write("empty", "");
  const std::string list = ":" + directory.path() + "/missing:" + empty + "::" + first + ":" + second + ":" + third;
  const Environment variable("KUBECONFIG", list.c_str());
  const auto config = load_config();
  REQUIRE(config.ok());
  CHECK(config->host == "first");
  CHECK(config->tls_server_name.empty());  // an entry is taken whole
  CHECK(config->token_file == directory.path() + "/other/token");
  const std::string files = empty + ":" + first + ":" + second + ":" + third;
  CHECK(error_of(load_config("", "b")) == files + ": contexts: has no entry named \"b\"; there is: a, a");
}

TEST_CASE("Of several files each may be missing, but not all, and none may be bad") {
  const Directory directory;
  const NoProxy no_proxy;
  const std::string good = directory.write("good", kubeconfig_text("server: 'https://h'", ""));
  const std::string bad = directory.write("bad", "[");
  const auto load = [](const std::string& list) {
    const Environment variable("KUBECONFIG", list.c_str());
    return load_config();
  };
  CHECK(load(good + ":/nowhere/config")->host == "h");
  CHECK(error_of(load("/nowhere/a:/nowhere/b")) == "none of these kubeconfigs exists: /nowhere/a, /nowhere/b");
  CHECK(contains(error_of(load("/nowhere/a")), "/nowhere/a: cannot be read"));
  CHECK(contains(error_of(load(good + ":" + bad)), bad + ": is not a kubeconfig: "));
  CHECK(contains(error_of(load(good + ":" + directory.path())), directory.path() + ": cannot be read"));
}

TEST_CASE("A field that is empty counts as absent") {
  const auto config = read(
      "server: 'https://h', certificate-authority-data: '', certificate-authority: '', proxy-url: '', "
      "tls-server-name: null, insecure-skip-tls-verify: False",
      "token: t, tokenFile: '', client-certificate-data: '', client-key: '', exec: null, username: '', as-groups: [], "
      "as-user-extra: {}",
      ", namespace: ''");
  REQUIRE(config.ok());
  CHECK(config->token == "t");
  CHECK(config->token_file.empty());
  CHECK(config->namespace_ == "default");
  CHECK(contains(error_of(read("server: 'https://h'", "username: no")), "username: is not supported"));
}

TEST_CASE("A proxy of the environment is refused by name, unless the server is exempt") {
  const Directory directory;
  const NoProxy no_proxy;
  const std::string file = directory.write("config", kubeconfig_text("server: 'https://h.example.com'", ""));
  for (const char* name : {"HTTPS_PROXY", "https_proxy"}) {
    const Environment proxy(name, "http://proxy:3128");
    CHECK(error_of(load_config(file)) == std::string(name) +
                                             ": proxies are not supported; the server must be reachable directly: add "
                                             "h.example.com to NO_PROXY, or unset " +
                                             name);
    const Environment exempt("NO_PROXY", "10.0.0.0/8, example.com");
    CHECK(load_config(file).ok());
  }
  CHECK(load_config(file).ok());
}

}  // namespace
}  // namespace snapfreeze::kube
