// Follows a serving key pair in two files of a mounted Secret. The kubelet replaces both at once by swapping the
// symlink of their folder. Polled and compared by content, because inotify does not report such a swap reliably.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "certs/authority.h"
#include "certs/key_pair.h"

namespace snapfreeze::certs {

struct KeyPairFilesOptions {
  std::string certificate_path;
  std::string key_path;
  std::string name;  // a DNS name or IP that the certificate must serve; empty: any
};

struct KeyPairReport {
  bool loaded = false;            // this poll handed over a new pair
  std::string trouble;            // what is wrong with the files now, naming the file; empty: nothing
  bool news = false;              // loaded, or the trouble differs from the previous poll's: worth a log line
  std::optional<Wall> not_after;  // of the pair that is served, for the expiry metric; nullopt: none is served
};

// Not thread-safe: one thread polls. Any thread may read the pair through the holder.
class KeyPairFiles {
 public:
  // `holder` outlives this.
  KeyPairFiles(KeyPairFilesOptions options, CertHolder& holder);

  // Reads both files. A new pair is parsed and checked before it is handed over: its key matches, `now` is within its
  // dates, it serves the name. A bad pair is reported at each poll, and the last good one stays.
  KeyPairReport poll(Wall now);

 private:
  Result<std::shared_ptr<const KeyPair>> load(const PemPair& files, Wall now) const;

  const KeyPairFilesOptions options_;
  CertHolder& holder_;
  std::string loaded_digest_;  // of the files' content, so that no second copy of the key is kept
  std::string last_trouble_;
};

// Polls every `interval` and hands each report to `observe`, until the clock says to stop.
void follow(KeyPairFiles& files, Clock& clock, Millis interval,
            const std::function<void(const KeyPairReport&)>& observe);

}  // namespace snapfreeze::certs
