// Longhorn's REST API over plain HTTP, on cpp-httplib's client. That client bounds each read and write, but not a call:
// who sends a byte a second could hold it for ever, and who sends a header without an end could fill the memory. So a
// guard watches each call, and shuts its connection down when it is too late, too much, or when the process stops.
// Names are looked up in a thread of their own, since that cannot be bounded at all.
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

  // Over one of a few connections that are kept alive, one a caller that is there at the same time. An answer of more
  // than 256 KiB is none; more than twice that is not received, header included.
  Result<HttpAnswer> post(const std::string& path_and_query, const std::string& body, Millis timeout) override;

  // Ends the calls under way within half a second; what is asked from now on is kCancelled. Thread-safe.
  void stop();

 private:
  class Impl;
  explicit HttpLonghorn(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace snapfreeze::sweeper
