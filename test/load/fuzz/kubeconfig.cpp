// A kubeconfig of any content is read, or refused with a text that names the file.
#include "kube/kubeconfig.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "test/load/fuzz/fuzz.h"

using snapfreeze::fuzz::must;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = ::memfd_create("kubeconfig", 0);
  must(file >= 0 && ::write(file, data, size) == static_cast<ssize_t>(size), "the file is written");
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const auto config = snapfreeze::kube::kubeconfig(path);
  ::close(file);
  if (config) {
    must(!config->host.empty() && config->port > 0 && config->port < 65536, "a server that can be called");
  } else {
    must(config.error().message.find(path) != std::string::npos, "a refusal names the file");
  }
  return 0;
}
