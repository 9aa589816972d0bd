// From a watch to the sweeper: each object is cut down to its facts where it is received.
#pragma once

#include <functional>

#include "kube/watcher.h"
#include "sweeper/facts.h"

namespace snapfreeze::sweeper {

// Called from the watch's own thread, as every WatchSink.
class Feed : public kube::WatchSink {
 public:
  using OnChange = std::function<void(const Change&)>;
  Feed(Kind kind, ThawOn thaw_on, OnChange on_change)
      : kind_(kind), thaw_on_(thaw_on), on_change_(std::move(on_change)) {}

  // What to list and watch for it.
  [[nodiscard]] static kube::Watcher::Options options(Kind kind, const std::string& own_namespace);

  void added(const Json& object) override;
  void applied(const Json& object) override;
  void deleted(const Json& object) override;
  void relist_started() override;
  void relist_done() override;
  void not_served() override;
  void trouble(const Error& error) override;
  void recovered() override;

 private:
  void pass(Change::What what, const Json& object);

  const Kind kind_;
  const ThawOn thaw_on_;
  const OnChange on_change_;
};

}  // namespace snapfreeze::sweeper
