// Longhorn's REST API over plain HTTP, on cpp-httplib's client. That client bounds each read and write, but not a call:
// a server that sends a byte a second could hold it for ever, and one that sends an endless header could fill the
// memory. So a guard watches each call. It shuts the connection down when the call takes too long, when it receives too
// much, or when the process stops.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "sweeper/longhorn/api.h"

namespace snapfreeze::sweeper {

class HttpLonghorn : public LonghornApi {
 public:
  // `url`: http://host[:port]. kMalformed: it is not.
  static Result<std::unique_ptr<HttpLonghorn>> make(const std::string& url);
  // After stop(), and when no call is under way any more.
  ~HttpLonghorn() override;

  // A few connections are kept alive; callers at the same time use one each. An answer of more than 256 KiB is an
  // error. At most twice that is received, header included.
  Result<HttpAnswer> post(const std::string& path_and_query, const std::string& body, Millis timeout) override;

  // Ends the calls under way within half a second; later calls are kCancelled. Thread-safe.
  void stop();

 private:
  class Impl;
  explicit HttpLonghorn(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace snapfreeze::sweeper
