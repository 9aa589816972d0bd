// Ends waits in poll().
#pragma once

#include "tls/descriptor.h"

namespace snapfreeze::tls {

// Thread-safe.
class WakeUp {
 public:
  WakeUp();

  // To be waited for; -1 if the process may open no more files.
  [[nodiscard]] int fd() const { return fd_.get(); }
  // From now on fd() can be read: waits end, and later ones too. More than once is as good as once.
  void wake();

 private:
  FileDescriptor fd_;
};

}  // namespace snapfreeze::tls
