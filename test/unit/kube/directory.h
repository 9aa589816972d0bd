#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace snapfreeze::kube {

// A directory that is gone at the end of the test.
class Directory {
 public:
  Directory() {
    std::string name = "/tmp/kube-test-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ + "/" + name) << content;
    return path_ + "/" + name;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace snapfreeze::kube
