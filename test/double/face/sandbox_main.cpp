// snapfreeze-sandbox: the embedded cluster as a program, in real time, behind HTTPS on loopback.
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "test/double/api/metadata.h"
#include "test/double/cluster.h"
#include "test/double/face/base64.h"
#include "test/double/face/https_face.h"
#include "test/double/face/https_webhook.h"
#include "test/double/face/longhorn_face.h"
#include "test/double/face/sandbox_certs.h"
#include "test/double/face/sandbox_control.h"

namespace {

using namespace cluster;

struct Options {
  int port = 0;
  int longhorn_port = 0;
  std::string directory;
  std::string certificate, key, authority;
  bool with_parent = false;
  std::uint64_t seed = 1;
};

// File name -> user name.
const std::map<std::string, std::string>& identities() {
  static const std::map<std::string, std::string> kIdentities = {
      {"admin", "admin"},
      {"tenant", "tenant"},
      {"harvester", kHarvesterUser},
      {"tenant-of-other", "tenant-of-other"},
      {"webhook", "webhook"},
      {"webhook-0", "webhook-0"},
      {"webhook-1", "webhook-1"},
      {"sweeper", "sweeper"},
      {"sweeper-0", "sweeper-0"},
      {"sweeper-1", "sweeper-1"},
  };
  return kIdentities;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string kubeconfig(int port, const std::string& authority, const std::string& identity, const std::string& token) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: sandbox\nclusters:\n- name: sandbox\n  cluster:\n"
         "    server: https://127.0.0.1:" +
         std::to_string(port) + "\n    certificate-authority-data: " + base64_encode(authority) +
         "\nusers:\n- name: " + identity + "\n  user:\n    token: " + token +
         "\ncontexts:\n- name: sandbox\n  context:\n    cluster: sandbox\n" + "    user: " + identity + "\n";
}

CertifiedKey server_certificate(const Options& options, std::string& authority) {
  if (!options.certificate.empty()) {
    authority = read_file(options.authority);
    return {read_file(options.certificate), read_file(options.key)};
  }
  const CertifiedKey made = make_authority("snapfreeze-sandbox");
  authority = made.certificate;
  return make_certificate(made, {"127.0.0.1", "localhost"});
}

int run(const Options& options, const sigset_t& endings) {
  std::string authority;
  const CertifiedKey certificate = server_certificate(options, authority);
  ThreadRuntime runtime(options.seed);
  Cluster cluster(runtime);
  cluster.admission().set_connect(
      [](const std::string& host, int port) { return std::make_shared<HttpsWebhook>(host, port); });
  SandboxControl control(cluster);
  std::map<std::string, std::string> tokens;  // by identity
  std::map<std::string, std::string> users;   // by token
  for (const auto& [identity, user] : identities()) {
    tokens[identity] = new_uid(runtime);
    users[tokens[identity]] = user;
  }
  HttpsFace face(runtime, server_context(certificate.certificate, certificate.key), options.port, users,
                 [&](const HttpRequest& request) {
                   const bool own = request.path.rfind("/sandbox/", 0) == 0;
                   return own ? control.handle(request) : cluster.api().handle(request);
                 });
  LonghornFace longhorn(runtime, cluster.longhorn(), options.longhorn_port);
  const std::string longhorn_url = "http://127.0.0.1:" + std::to_string(longhorn.port());
  std::filesystem::create_directories(options.directory);
  const std::filesystem::path directory(options.directory);
  write_file(directory / "ca.crt", authority);
  write_file(directory / "longhorn.url", longhorn_url);
  for (const auto& [identity, token] : tokens) {
    write_file(directory / (identity + ".kubeconfig"), kubeconfig(face.port(), authority, identity, token));
  }
  std::cout << "ready https://127.0.0.1:" << face.port() << " kubeconfigs in " << options.directory << ", Longhorn at "
            << longhorn_url << std::endl;
  int signal = 0;
  sigwait(&endings, &signal);
  longhorn.stop();
  face.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{
      "An in-memory cluster on loopback: API server, KubeVirt, Harvester and storage doubles in real time.\n"
      "Example: snapfreeze-sandbox --directory /tmp/sandbox\n"
      "         kubectl --kubeconfig /tmp/sandbox/admin.kubeconfig get virtualmachines -A"};
  app.add_option("--directory", options.directory, "where the kubeconfigs and ca.crt are written; made if missing")
      ->required();
  app.add_option("--port", options.port, "on 127.0.0.1; 0: chosen by the system")->check(CLI::Range(0, 65535));
  app.add_option("--longhorn-port", options.longhorn_port, "of Longhorn's own REST API, likewise; see longhorn.url")
      ->check(CLI::Range(0, 65535));
  app.add_option("--seed", options.seed, "of all random delays and orders");
  auto* certificate = app.add_option("--tls-cert", options.certificate, "PEM file; without it one is made");
  auto* key = app.add_option("--tls-key", options.key, "PEM file")->needs(certificate);
  auto* authority = app.add_option("--tls-ca", options.authority, "PEM file that callers are to trust");
  authority->needs(certificate);
  certificate->needs(key)->needs(authority);
  app.add_flag("--with-parent", options.with_parent, "end when the parent process does");
  CLI11_PARSE(app, argc, argv);

  const pid_t parent = getppid();
  if (options.with_parent) prctl(PR_SET_PDEATHSIG, SIGTERM);
  // Blocked before any thread is made, so that only the wait in run() gets them.
  sigset_t endings;
  sigemptyset(&endings);
  sigaddset(&endings, SIGTERM);
  sigaddset(&endings, SIGINT);
  pthread_sigmask(SIG_BLOCK, &endings, nullptr);
  // The parent may have died before the request to be told of it.
  if (options.with_parent && getppid() != parent) return 0;
  try {
    return run(options, endings);
  } catch (const std::exception& error) {
    std::cerr << "snapfreeze-sandbox: " << error.what() << "\n";
    return 1;
  }
}
