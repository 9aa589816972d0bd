#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace snapfreeze {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

using Buckets = Histogram::BucketBoundaries;

// Joining takes a few milliseconds, freezing seconds; an admission ends within the webhook's time-out, at most 30 s.
const Buckets kCallBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
// A guest is frozen for the time of the cut, at most 60 s unless something went wrong.
const Buckets kFrozenBuckets = {0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60, 120};
// The time that is ours alone: it should stay within the first few.
const Buckets kThawBuckets = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
// Longhorn's engine monitor looks every 5 s, and its CSI driver every 2 s.
const Buckets kConfirmationBuckets = {0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 30, 60};

std::string text(std::string_view view) {
  return std::string(view);
}

}  // namespace

struct Metrics::Series {
  prometheus::Registry registry;

  Family<Counter>& admissions = counters("snapfreeze_admissions_total", "Admissions answered, by decision.");
  Histogram& admission_duration =
      histogram("snapfreeze_admission_duration_seconds", "Time to answer an admission.", kCallBuckets);
  Histogram& freeze_duration =
      histogram("snapfreeze_freeze_duration_seconds", "Time of a freeze call that succeeded.", kCallBuckets);
  Histogram& guest_frozen =
      histogram("snapfreeze_guest_frozen_seconds", "Time for which a guest was frozen.", kFrozenBuckets);
  Histogram& capture_to_thaw = histogram("snapfreeze_capture_to_thaw_seconds",
                                         "Time from the event of the last capture to the unfreeze call.", kThawBuckets);
  Family<Counter>& captures =
      counters("snapfreeze_captures_total", "Disks of held guests captured, by who said it first.");
  Histogram& confirmation =
      histogram("snapfreeze_longhorn_confirmation_seconds",
                "Time from Longhorn's own word of a cut to the API object that confirms it.", kConfirmationBuckets);
  Family<Counter>& thaw_calls = counters("snapfreeze_thaw_calls_total", "Unfreeze calls, by outcome.");
  Family<Gauge>& sessions = gauges("snapfreeze_sessions", "Sessions open now, by phase.");
  Family<Counter>& verdicts = counters("snapfreeze_verdicts_total", "Verdicts on backups, by consistency and reason.");
  Family<Counter>& api_calls =
      counters("snapfreeze_api_calls_total", "Calls to the Kubernetes API, by verb and HTTP status.");
  Counter& rescues =
      counters("snapfreeze_rescues_total", "Guests thawed that another program had left frozen.").Add({});
  Family<Gauge>& certificate_expiry = gauges("snapfreeze_certificate_expiry_timestamp_seconds",
                                             "When the serving certificate expires, in Unix seconds.");
  Family<Gauge>& ca_expiry = gauges("snapfreeze_ca_expiry_timestamp_seconds",
                                    "When the CA that signs serving certificates expires, in Unix seconds.");
  Family<Gauge>& leader = gauges("snapfreeze_leader", "1 on the sweeper that leads, 0 on the others.");

 private:
  Family<Counter>& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Gauge>& gauges(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  Histogram& histogram(const char* name, const char* help, const Buckets& buckets) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
  }
};

Metrics::Metrics() : series_(std::make_unique<Series>()) {}
Metrics::~Metrics() = default;

void Metrics::admitted(std::string_view decision, Seconds took) {
  series_->admissions.Add({{"decision", text(decision)}}).Increment();
  series_->admission_duration.Observe(took.count());
}

void Metrics::froze(Seconds took) {
  series_->freeze_duration.Observe(took.count());
}

void Metrics::thawed(Seconds frozen_for) {
  series_->guest_frozen.Observe(frozen_for.count());
}

void Metrics::thaw_sent(Seconds after_capture) {
  series_->capture_to_thaw.Observe(after_capture.count());
}

void Metrics::captured(std::string_view source) {
  series_->captures.Add({{"source", text(source)}}).Increment();
}

void Metrics::confirmed(Seconds after_live_answer) {
  series_->confirmation.Observe(after_live_answer.count());
}

void Metrics::thaw_answered(std::string_view outcome) {
  series_->thaw_calls.Add({{"outcome", text(outcome)}}).Increment();
}

void Metrics::sessions(std::string_view phase, int count) {
  series_->sessions.Add({{"phase", text(phase)}}).Set(count);
}

void Metrics::verdict(std::string_view consistency, std::string_view reason) {
  series_->verdicts.Add({{"consistency", text(consistency)}, {"reason", text(reason)}}).Increment();
}

void Metrics::api_called(std::string_view verb, int http_status) {
  const std::string code = http_status == 0 ? "none" : std::to_string(http_status);
  series_->api_calls.Add({{"verb", text(verb)}, {"code", code}}).Increment();
}

void Metrics::rescued() {
  series_->rescues.Increment();
}

namespace {

void set_time(Family<Gauge>& family, Wall at) {
  const Metrics::Seconds unix_time = at.time_since_epoch();
  family.Add({}).Set(unix_time.count());
}

}  // namespace

void Metrics::certificate_expires(Wall at) {
  set_time(series_->certificate_expiry, at);
}

void Metrics::ca_expires(Wall at) {
  set_time(series_->ca_expiry, at);
}

void Metrics::leading(bool is_leader) {
  series_->leader.Add({}).Set(is_leader ? 1 : 0);
}

std::string Metrics::exposition() const {
  return prometheus::TextSerializer().Serialize(series_->registry.Collect());
}

}  // namespace snapfreeze
