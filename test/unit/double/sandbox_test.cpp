// The program, as its users start and end it.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/double/face/http1.h"
#include "test/double/face/tls.h"
#include "test/support/catch.h"

using namespace cluster;
using namespace std::chrono_literals;

extern char** environ;

namespace {

// The sandbox as a child process, its output in a pipe.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    output_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    arguments.insert(arguments.begin(), SNAPFREEZE_SANDBOX);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    REQUIRE(posix_spawn(&pid_, SNAPFREEZE_SANDBOX, &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
  }
  ~Program() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    wait();
    close(output_);
  }

  std::string line() {
    std::string text;
    char byte = 0;
    while (read(output_, &byte, 1) == 1 && byte != '\n') text += byte;
    return text;
  }
  void signal(int number) { kill(pid_, number); }
  int wait() {
    int status = -1;
    if (pid_ > 0) waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("snapfreeze-sandbox-test-" + std::to_string(getpid()));
  ~Folder() { std::filesystem::remove_all(path); }

  std::string read(const std::string& name) const {
    std::ifstream file(path / name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

}  // namespace

TEST_CASE("the sandbox says when it is ready, leaves a kubeconfig an identity, and ends at SIGTERM") {
  const Folder folder;
  Program sandbox({"--directory", folder.path});
  const std::string ready = sandbox.line();
  REQUIRE(ready.rfind("ready https://127.0.0.1:", 0) == 0);
  const int port = std::stoi(ready.substr(24));
  for (const char* identity : {"admin", "tenant", "harvester", "webhook", "sweeper"}) {
    const std::string config = folder.read(std::string(identity) + ".kubeconfig");
    CHECK(config.find("server: https://127.0.0.1:" + std::to_string(port) + "\n") != std::string::npos);
    CHECK(config.find("token: ") != std::string::npos);
  }

  const std::string config = folder.read("admin.kubeconfig");
  const std::size_t begin = config.find("token: ") + 7;
  const std::string token = config.substr(begin, config.find('\n', begin) - begin);
  std::string error;
  const Mono deadline = std::chrono::steady_clock::now() + 5s;
  const auto stream =
      TlsStream::connect(client_context(folder.read("ca.crt")), "127.0.0.1", port, "127.0.0.1", deadline, error);
  REQUIRE(stream != nullptr);
  stream->write("GET /sandbox/guests HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n\r\n", deadline);
  Http1Reader reader([&](char* into, std::size_t size) { return stream->read(into, size, deadline); });
  HttpHead head;
  REQUIRE(reader.head(head));
  CHECK(head.start_line == "HTTP/1.1 200 OK");

  sandbox.signal(SIGTERM);
  CHECK(sandbox.wait() == 0);
}

TEST_CASE("a port that is taken is said so, and ends it") {
  const Folder folder;
  Program first({"--directory", folder.path});
  const std::string port = std::to_string(std::stoi(first.line().substr(24)));
  Program second({"--directory", folder.path, "--port", port});
  CHECK(second.line().find("port " + port) != std::string::npos);
  CHECK(second.wait() == 1);
}

TEST_CASE("a certificate without its key is refused by name") {
  Program sandbox({"--directory", "/nonexistent", "--tls-cert", "/none.crt"});
  CHECK(sandbox.line().find("--tls-key") != std::string::npos);
  CHECK(sandbox.wait() != 0);
}
