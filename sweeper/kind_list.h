// One list of the fresh look (look.h): a kind of a namespace, in whichever version it is served.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "kube/list.h"
#include "kube/replay.h"
#include "sweeper/seams.h"

namespace snapfreeze::sweeper {

// Says which request comes next and takes its result. Not thread-safe.
class KindList {
 public:
  // `item`, `restart` and `as_of` as of kube::PagedList. A kind that is not served is an empty list, and so is a moment
  // that the server has forgotten.
  KindList(const Seams& seams, const kube::Resource& resource, const std::string& ns,
           std::function<void(const Json&)> item, std::function<void()> restart, std::string as_of = "");

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool served() const { return pages_.has_value(); }
  [[nodiscard]] std::string name() const;

  // What became of its objects since that version, up to this list. Precondition: done().
  [[nodiscard]] kube::Replay since(const std::string& version) const;

  [[nodiscard]] kube::Request next() const;
  // Errors are those of kube::PagedList::take, and of kube::served_version.
  Result<void> take(const Result<kube::Response>& reply);

 private:
  void begin(const std::string& version);
  void restart();
  void take_item(const Json& item);
  Result<void> take_group(const Result<kube::Response>& reply);
  Result<void> discover();

  const Seams& seams_;
  const kube::Resource& resource_;
  const std::string namespace_;
  const std::function<void(const Json&)> item_;
  const std::function<void()> restart_;
  const std::string as_of_;
  std::string version_;
  std::string path_;
  std::string newest_;                    // the latest version of one of its objects
  std::string newest_ever_;               // likewise, also of earlier lists
  std::optional<kube::PagedList> pages_;  // absent: it was not served when it was last asked
  bool discovered_ = false;
  bool done_ = false;
};

}  // namespace snapfreeze::sweeper
