// The Prometheus series of the program. Each method is named after what happened. Thread-safe.
//
// Label values come from fixed sets of ours, never from a request, because each value is kept for ever.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace snapfreeze {

class Metrics {
 public:
  using Seconds = std::chrono::duration<double>;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // snapfreeze_admissions_total{decision}, snapfreeze_admission_duration_seconds
  void admitted(std::string_view decision, Seconds took);
  // snapfreeze_freeze_duration_seconds: a freeze call that answered success
  void froze(Seconds took);
  // snapfreeze_guest_frozen_seconds: from the freeze's answer to the thaw's
  void thawed(Seconds frozen_for);
  // snapfreeze_capture_to_thaw_seconds: from the event of the last capture to the sending of the unfreeze call
  void thaw_sent(Seconds after_capture);
  // snapfreeze_captures_total{source}: of a held guest's disks, by who said it first
  void captured(std::string_view source);
  // snapfreeze_longhorn_confirmation_seconds: from Longhorn's own word of a cut to the API object that tells of it
  void confirmed(Seconds after_live_answer);
  // snapfreeze_thaw_calls_total{outcome}
  void thaw_answered(std::string_view outcome);
  // snapfreeze_sessions{phase}: the current number
  void sessions(std::string_view phase, int count);
  // snapfreeze_verdicts_total{consistency,reason}
  void verdict(std::string_view consistency, std::string_view reason);
  // snapfreeze_api_calls_total{verb,code}; without a reply (status 0) the code is "none"
  void api_called(std::string_view verb, int http_status);
  // snapfreeze_rescues_total: guests thawed that another program had left frozen
  void rescued();
  // snapfreeze_certificate_expiry_timestamp_seconds; absent until it is known
  void certificate_expires(Wall at);
  // snapfreeze_ca_expiry_timestamp_seconds; absent until it is known
  void ca_expires(Wall at);
  // snapfreeze_leader, 1 or 0; absent where there is no election
  void leading(bool is_leader);

  // All series in the text format, for kContentType.
  [[nodiscard]] std::string exposition() const;

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace snapfreeze
