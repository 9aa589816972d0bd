#include "test/runner/sandbox.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <thread>

namespace runner {
namespace {

using snapfreeze::Millis;
namespace kube = snapfreeze::kube;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

// The first line of the reply to a plain GET; "" when nobody answers.
std::string status_line(int port, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = loopback(port);
  std::string line;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char buffer[256];
    ::send(socket, request.data(), request.size(), MSG_NOSIGNAL);
    const ssize_t size = ::recv(socket, buffer, sizeof buffer, 0);
    if (size > 0) line.assign(buffer, static_cast<std::size_t>(size));
  }
  ::close(socket);
  return line.substr(0, line.find('\r'));
}

void wait_for(const std::string& what, Millis patience, const std::function<bool()>& ready) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!ready()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error(what + " is not ready after all this time");
    std::this_thread::sleep_for(Millis(20));
  }
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string last_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line)) last = line;
  return last;
}

kube::Method method_of(const std::string& name) {
  if (name == "POST") return kube::Method::kPost;
  if (name == "PUT") return kube::Method::kPut;
  if (name == "DELETE") return kube::Method::kDelete;
  return kube::Method::kGet;
}

}  // namespace

Sandbox::Sandbox(Programs programs, std::uint64_t seed, bool keep_files)
    : programs_(std::move(programs)), keep_files_(keep_files) {
  std::string pattern = (std::filesystem::temp_directory_path() / "snapfreeze-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + pattern);
  directory_ = pattern;
  const std::filesystem::path log = directory_ / "sandbox.log";
  cluster_ = std::make_unique<Child>(
      std::vector<std::string>{programs_.sandbox, "--directory", directory_.string(), "--seed", std::to_string(seed)},
      log.string());
  wait_for(programs_.sandbox, Millis(20000), [&] {
    if (!cluster_->running()) throw std::runtime_error(programs_.sandbox + " ended: " + last_lines(log));
    return last_lines(log).rfind("ready ", 0) == 0;
  });
  for (const char* user : {"admin", "tenant"}) connect(user);
  make_certificate();
}

Sandbox::~Sandbox() {
  // All at once, then one by one.
  for (auto& [name, process] : processes_) process.child->signal(SIGKILL);
  processes_.clear();
  clients_.clear();
  cluster_->end(Millis(1000));
  std::error_code ignored;
  if (!keep_files_) std::filesystem::remove_all(directory_, ignored);
}

void Sandbox::make_certificate() {
  const auto now = std::chrono::system_clock::now();
  const auto authority = snapfreeze::certs::make_ca("sandbox webhook", now);
  if (!authority) throw std::runtime_error(authority.error().message);
  const auto pair = snapfreeze::certs::issue_serving(*authority, {{"snapfreeze.snapfreeze.svc"}, {}}, now);
  if (!pair) throw std::runtime_error(pair.error().message);
  ca_bundle_ = authority->certificate;
  write_file(directory_ / "tls.crt", pair->certificate);
  write_file(directory_ / "tls.key", pair->key);
}

void Sandbox::start(const std::string& name, const std::vector<std::string>& options) {
  Process& process = processes_[name];
  const std::string command = name.substr(0, name.find('-'));
  if (process.status_port == 0) process.status_port = free_port();
  std::vector<std::string> arguments = {programs_.snapfreeze, command,
                                        "--kubeconfig",       (directory_ / (name + ".kubeconfig")).string(),
                                        "--namespace",        "snapfreeze",
                                        "--identity",         name,
                                        "--status-listen",    "127.0.0.1:" + std::to_string(process.status_port)};
  if (command == "webhook") {
    if (process.port == 0) process.port = free_port();
    const std::string listen = "127.0.0.1:" + std::to_string(process.port);
    for (const std::string& argument :
         {std::string("--listen"), listen, std::string("--tls-cert"), (directory_ / "tls.crt").string(),
          std::string("--tls-key"), (directory_ / "tls.key").string()}) {
      arguments.push_back(argument);
    }
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  process.child.reset();
  process.child = std::make_unique<Child>(arguments, (directory_ / (name + ".log")).string());
  started_[name] = options;
}

void Sandbox::wait_until_ready(const std::string& name, Millis patience) {
  Process& process = processes_.at(name);
  wait_for(name, patience, [&] {
    if (!process.child->running()) {
      throw std::runtime_error(name + " ended: " + last_lines(directory_ / (name + ".log")));
    }
    return status_line(process.status_port, "/readyz").find(" 200 ") != std::string::npos;
  });
}

void Sandbox::register_webhooks() {
  Json replicas = Json::array();
  for (const auto& [name, process] : processes_) {
    if (process.port != 0) replicas.push_back({{"host", "127.0.0.1"}, {"port", process.port}});
  }
  control("POST", "webhook", {{"ca_bundle", ca_bundle_}, {"replicas", replicas}});
}

void Sandbox::connect(const std::string& user) {
  const auto config = kube::kubeconfig((directory_ / (user + ".kubeconfig")).string());
  if (!config) throw std::runtime_error(config.error().message);
  auto client = kube::HttpsClient::create(*config, user);
  if (!client) throw std::runtime_error(client.error().message);
  clients_[user] = std::move(*client);
}

kube::Response Sandbox::call(const std::string& user, const std::string& method, const std::string& target,
                             const Json& body) {
  kube::Request request;
  request.method = method_of(method);
  request.target = target;
  request.timeout = Millis(30000);
  if (!body.is_null()) {
    request.body = body.dump();
    request.content_type = "application/json";
  }
  auto reply = clients_.at(user)->call(request);
  if (!reply) throw std::runtime_error(method + " " + target + ": " + reply.error().message);
  return std::move(*reply);
}

nlohmann::json Sandbox::control(const std::string& method, const std::string& path, const Json& body) {
  const kube::Response reply = call("admin", method, "/sandbox/" + path, method == "GET" ? Json() : body);
  if (reply.status != 200) throw std::runtime_error("/sandbox/" + path + ": " + reply.body);
  return Json::parse(reply.body);
}

}  // namespace runner
