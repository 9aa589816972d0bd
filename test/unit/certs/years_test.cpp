// Years of rotations with crashes between any two calls, judged from where it counts: at every instant each API server,
// with the bundle that it knows, accepts the leaf that each webhook serves.
#include <functional>
#include <map>
#include <random>

#include "certs/key_pair.h"
#include "test/support/catch.h"
#include "test/unit/certs/keeper_rig.h"

using namespace snapfreeze;
using namespace snapfreeze::certs;
using namespace snapfreeze::test;
using namespace std::chrono_literals;

namespace {

struct Crash {};

// Ends the process before or after some of its writes.
class CrashingApi : public kube::KubeApi {
 public:
  CrashingApi(kube::KubeApi& api, std::mt19937_64& random) : api_(api), random_(random) {}

  Result<kube::Response> call(const kube::Request& request) override {
    const bool writes = request.method != kube::Method::kGet;
    if (writes && one_in(3)) throw Crash{};
    auto reply = api_.call(request);
    if (writes && one_in(3)) throw Crash{};
    return reply;
  }
  Result<void> stream(const kube::Request& request, Millis idle, const kube::LineSink& sink) override {
    return api_.stream(request, idle, sink);
  }

 private:
  bool one_in(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)) == 0; }

  kube::KubeApi& api_;
  std::mt19937_64& random_;
};

class Years {
 public:
  explicit Years(std::uint64_t seed) : rig_(seed), random_(seed), api_(rig_.api, random_) {
    rig_.options.look = 48h;  // nobody breaks anything on the way but this test
    restart();
    rig_.cluster.locked([&] {
      rig_.cluster.store().observe("", "secrets", [this](const cluster::WatchEvent& event) { files_change(event); });
      rig_.cluster.store().observe("admissionregistration.k8s.io", "mutatingwebhookconfigurations",
                                   [this](const cluster::WatchEvent& event) { bundle_changes(event); });
    });
  }

  void run(std::chrono::hours duration) {
    const Mono end = rig_.runtime.now() + duration;
    Mono wake = rig_.runtime.now();
    while (rig_.runtime.now() < end) {
      rig_.runtime.sleep_until(due_.empty() ? wake : std::min(wake, due_.begin()->first));
      for (; !due_.empty() && due_.begin()->first <= rig_.runtime.now(); due_.erase(due_.begin())) {
        due_.begin()->second();
        look();
      }
      if (rig_.runtime.now() < wake) continue;
      wake = rig_.runtime.now() + step();
      look();
    }
  }

  // Loses what a person might delete, at the worst times.
  void lose_secrets(bool yes) { loses_ = yes; }

  int cas = 0;
  int leaves = 0;
  int crashes = 0;
  int handshakes = 0;
  std::string failure;  // the first

 private:
  static constexpr int kReplicas = 2;
  static constexpr int kServers = 3;

  void restart() {
    KeeperSeams seams{api_, rig_.clock, rig_.server_time, [] { return true; }};
    keeper_ = make_self_managed(seams, rig_.options);
  }

  Millis step() {
    try {
      const StepReport report = keeper_->step();
      if (loses_ && random_() % 7 == 0) rig_.remove_secret(random_() % 2 == 0 ? "snapfreeze-ca" : "snapfreeze-tls");
      return report.wait;
    } catch (const Crash&) {
      ++crashes;
      restart();
      return between(1s, 20s);
    }
  }

  Millis between(Millis low, Millis high) {
    return low + Millis(static_cast<std::int64_t>(random_()) & 0x7fffffff) % (high - low);
  }

  // The kubelet of each replica shows the Secret up to 90 s later, and its webhook looks.
  void files_change(const cluster::WatchEvent& event) {
    const cluster::Json& object = event.object->json;
    if (event.type == cluster::EventType::kDeleted) return;
    const auto field = [&](const char* key) { return base64_decode(object["data"].value(key, "")).value_or(""); };
    if (object["metadata"]["name"] == "snapfreeze-ca") {
      if (std::exchange(last_ca_, field("tls.crt")) != last_ca_) ++cas;
      return;
    }
    const PemPair pair{field("tls.crt"), field("tls.key")};
    ++leaves;
    for (int i = 0; i < kReplicas; ++i) {
      due_.emplace(rig_.runtime.now() + between(0s, 90s), [this, pair, i] {
        if (KeyPair::parse(pair.certificate, pair.key)) served_[i] = pair.certificate;
      });
    }
  }

  // An API server may not know of it for minutes.
  void bundle_changes(const cluster::WatchEvent& event) {
    const std::string bundle =
        base64_decode(event.object->json["webhooks"][0]["clientConfig"].value("caBundle", "")).value_or("");
    for (int i = 0; i < kServers; ++i) {
      const Mono at = std::max(rig_.runtime.now() + between(0s, 290s), last_change_[i]);
      last_change_[i] = at;
      due_.emplace(at, [this, bundle, i] { trusted_[i] = bundle; });
    }
  }

  void look() {
    for (const auto& [replica, leaf] : served_) {
      const bool in_time = is_in_time(leaf);
      for (const auto& [server, bundle] : trusted_) {
        ++handshakes;
        if (in_time && is_signed_by(leaf, bundle)) continue;
        if (failure.empty()) {
          failure = "after " + std::to_string((rig_.runtime.now() - began_) / 1s) + " s, " +
                    (in_time ? "an API server does not trust a leaf" : "a leaf is served that has expired");
        }
      }
    }
  }

  // Remembered, as the same leaves and bundles meet all the time.
  bool is_in_time(const std::string& leaf) {
    const auto [found, first] = dates_.try_emplace(leaf);
    if (first) found->second = inspect(leaf).value();
    return rig_.runtime.wall() >= found->second.not_before && rig_.runtime.wall() < found->second.not_after;
  }
  bool is_signed_by(const std::string& leaf, const std::string& bundle) {
    const auto [found, first] = signed_.try_emplace({leaf, bundle});
    if (first) found->second = check_signed_by(leaf, bundle).ok();
    return found->second;
  }

  KeeperRig rig_;
  std::mt19937_64 random_;
  CrashingApi api_;
  std::unique_ptr<Keeper> keeper_;
  const Mono began_ = rig_.runtime.now();
  std::multimap<Mono, std::function<void()>> due_;
  std::map<int, std::string> served_;   // by replica
  std::map<int, std::string> trusted_;  // by API server
  std::map<int, Mono> last_change_;
  std::map<std::string, CertificateInfo> dates_;
  std::map<std::pair<std::string, std::string>, bool> signed_;
  std::string last_ca_;
  bool loses_ = false;
};

}  // namespace

TEST_CASE("in three years of rotations, with crashes between any two calls, no handshake fails") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    Years years(seed);
    years.run(3 * 365 * 24h);
    CHECK(years.failure == "");
    CHECK(years.cas >= 4);
    CHECK(years.leaves >= 50);
    CHECK(years.crashes >= 20);
    CHECK(years.handshakes > 1'000);
  }
}

TEST_CASE("nor does one when a Secret is lost every other week") {
  for (std::uint64_t seed = 11; seed <= 13; ++seed) {
    CAPTURE(seed);
    Years years(seed);
    years.lose_secrets(true);
    years.run(365 * 24h);
    CHECK(years.failure == "");
    CHECK(years.cas >= 10);
  }
}
