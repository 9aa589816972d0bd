#include "test/scenarios/runner/processes.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace runner {
namespace {

using snapfreeze::Millis;

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

}  // namespace

void wait_for(const std::string& what, Millis patience, const std::function<bool()>& ready) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!ready()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error(what + " is not ready after all this time");
    std::this_thread::sleep_for(Millis(20));
  }
}

std::string last_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line)) last = line;
  return last;
}

Processes::~Processes() {
  kill_all();
}

void Processes::kill_all() {
  // All at once, then one by one.
  for (auto& [name, process] : all_) {
    if (process.child) process.child->signal(SIGKILL);
  }
  for (auto& [name, process] : all_) process.child.reset();
}

void Processes::start(const std::string& name, const std::vector<std::string>& more) {
  Process& process = all_[name];
  const std::string command = name.substr(0, name.find('-'));
  std::vector<std::string> arguments = {options_.program,  command,
                                        "--kubeconfig",    (options_.directory / (name + ".kubeconfig")).string(),
                                        "--namespace",     options_.own_namespace,
                                        "--identity",      name,
                                        "--status-listen", "127.0.0.1:" + std::to_string(process.status_port.number())};
  if (command == "webhook") {
    if (process.port == 0) process.port = process.reserved.emplace().number();
    const std::string listen = "127.0.0.1:" + std::to_string(process.port);
    for (const std::string& argument :
         {std::string("--listen"), listen, std::string("--tls-cert"), options_.certificate.string(),
          std::string("--tls-key"), options_.key.string()}) {
      arguments.push_back(argument);
    }
  }
  // The certificate is in files, made by whoever set up the cluster.
  if (command == "sweeper") arguments.insert(arguments.end(), {"--certificates-from", "elsewhere"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  process.child.reset();
  process.child = std::make_unique<Child>(arguments, (options_.directory / (name + ".log")).string());
}

void Processes::wait_until_ready(const std::string& name, Millis patience) {
  Process& process = all_.at(name);
  wait_for(name, patience, [&] {
    if (!process.child->running()) {
      throw std::runtime_error(name + " ended: " + last_line(options_.directory / (name + ".log")));
    }
    return status_line(process.status_port.number(), "/readyz").find(" 200 ") != std::string::npos;
  });
}

std::vector<int> Processes::webhook_ports() const {
  std::vector<int> ports;
  for (const auto& [name, process] : all_) {
    if (process.child && process.port != 0) ports.push_back(process.port);
  }
  return ports;
}

}  // namespace runner
