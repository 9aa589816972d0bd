#include "certs/keeper.h"

#include <algorithm>

#include "certs/bundle.h"
#include "certs/trust.h"

namespace snapfreeze::certs {
namespace {

using Step = RotationPlan::Step;

constexpr Millis kAfterWrite{500};
constexpr Millis kFirstRetry{1'000};
constexpr Millis kLastRetry{60'000};
constexpr Millis kFollower{2'000};
// A kubelet shows a changed Secret within about 90 s, and the webhook polls every 2 s.
constexpr std::chrono::minutes kFilesFollow{10};

std::optional<Wall> not_after(const std::string& certificate) {
  const auto info = inspect(certificate);
  return info ? std::optional(info->not_after) : std::nullopt;
}

// What both keepers share: reading, retrying, reporting.
class Stepping : public Keeper {
 public:
  Stepping(KeeperSeams seams, KeeperOptions options) : seams_(std::move(seams)), options_(std::move(options)) {}

  StepReport step() final {
    StepReport report;
    report.wait = kFollower;
    if (!seams_.leads()) {
      forget();
      return report;
    }
    const auto current = read_stored(seams_.api, options_.names);
    const auto now = seams_.server_time.upper_bound(seams_.clock.monotonic());
    if (!current || !now) {
      report.trouble = current ? "no reply bears a date" : current.error().message;
    } else {
      report.ca_not_after = not_after(current->ca.entry(kCertificateEntry));
      report.serving_not_after = not_after(current->serving.entry(kCertificateEntry));
      report.wait = options_.look;
      advance(*current, *now, report);
    }
    if (report.trouble.empty()) {
      retry_ = kFirstRetry;
    } else {
      report.wait = retry_;
      retry_ = std::min(retry_ * 2, kLastRetry);
    }
    return report;
  }

 protected:
  // Decides and writes at most once; sets wait (which is `look`), done and trouble.
  virtual void advance(const Certificates& current, Wall now, StepReport& report) = 0;
  // Another process led meanwhile.
  virtual void forget() = 0;

  // Does it, if we still lead. If somebody else wrote meanwhile, the next step reads again.
  void write(StepReport& report, const std::string& what, const std::function<Result<void>()>& call) {
    if (!seams_.leads()) return;
    report.wait = kAfterWrite;
    const auto written = call();
    if (written) {
      report.done = what;
    } else if (written.error().code != Code::kConflict) {
      report.trouble = what + ": " + written.error().message;
    }
  }

  KeeperSeams seams_;
  const KeeperOptions options_;

 private:
  Millis retry_ = kFirstRetry;
};

class SelfManaged final : public Stepping {
 public:
  using Stepping::Stepping;

 private:
  void advance(const Certificates& current, Wall now, StepReport& report) override {
    if (restore(current.ca, known_ca_, report) || restore(current.serving, known_serving_, report)) return;
    const Mono looked = seams_.clock.monotonic();
    const std::optional<Millis> published_for =
        published_since_ ? std::optional(std::chrono::duration_cast<Millis>(looked - *published_since_)) : std::nullopt;
    const RotationPlan plan = plan_rotation(current.state(), options_.rules, now, published_for);
    const bool published =
        plan.step != Step::kMakeCa && plan.step != Step::kPublish && !current.registration.webhooks.empty();
    if (!published) published_since_.reset();
    if (published && !published_since_) published_since_ = looked;
    switch (plan.step) {
      case Step::kMakeCa:
        return write(report, "made a CA, as " + plan.why,
                     [&] { return write_new_ca(seams_.api, current, plan.retired, now); });
      case Step::kPublish:
        return write(report, "set caBundle, as " + plan.why,
                     [&] { return publish(seams_.api, current.registration, plan.bundle); });
      case Step::kIssue:
        return write(report, "issued a serving certificate, as " + plan.why,
                     [&] { return write_new_leaf(seams_.api, current, options_.rules.names, now); });
      case Step::kNone:
        break;
    }
    known_ca_ = current.ca;
    known_serving_ = current.serving;
    report.wait = std::clamp(std::chrono::duration_cast<Millis>(plan.next - now), kAfterWrite, options_.look);
    if (current.registration.webhooks.empty()) {
      report.trouble =
          "there is no MutatingWebhookConfiguration " + options_.names.registration + " to publish the CA in";
    }
  }

  // The chart has these Secrets without data. A tool that replaces objects instead of patching them (helm upgrade
  // --force, kubectl replace, Argo CD's Replace=true) empties them. A new CA would be trusted long before the webhooks
  // serve a leaf of it, so what was there comes back. Not after a Secret was deleted: somebody wants new keys.
  bool restore(const StoredSecret& now, const StoredSecret& known, StepReport& report) {
    const bool emptied = now.data.empty() && !known.data.empty() && now.uid == known.uid;
    if (!emptied) return false;
    std::vector<std::pair<std::string, std::string>> entries;
    for (const char* key : {kCertificateEntry, kKeyEntry, kCaEntry, kRetiredEntry}) {
      if (known.data.contains(key)) entries.emplace_back(key, known.entry(key));
    }
    write(report, "restored Secret " + now.name + ", which somebody had emptied",
          [&] { return write_secret(seams_.api, now, entries); });
    return true;
  }

  void forget() override {
    published_since_.reset();
    known_ca_ = {};
    known_serving_ = {};
  }

  StoredSecret known_ca_, known_serving_;  // as they were when all was well
  std::optional<Mono> published_since_;    // since when the bundle has been seen to be as it must
};

class FromSecret final : public Stepping {
 public:
  using Stepping::Stepping;

 private:
  void advance(const Certificates& current, Wall now, StepReport& report) override {
    const std::string secret = "Secret " + current.serving.namespace_ + "/" + current.serving.name;
    const auto ca = split_bundle(current.serving.entry(kCaEntry));
    if (!ca) {
      report.trouble = secret + ": ca.crt: " + ca.error().message;
      return;
    }
    const std::string served = current.serving.entry(kCertificateEntry);
    for (const auto& webhook : current.registration.webhooks) {
      const auto good = check_trusted(served, current.serving.entry(kCaEntry), webhook.host, now);
      if (good) continue;
      report.trouble = secret + ": tls.crt: " + good.error().message;
      return;
    }
    const std::string wanted = join_bundle(*ca);
    const Mono looked = seams_.clock.monotonic();
    if (wanted != wanted_) {
      wanted_ = wanted;
      wanted_since_ = looked;
    }
    const bool alone = looked - wanted_since_ >= kFilesFollow;
    std::vector<std::string> trusted = *ca;
    for (const auto& webhook : current.registration.webhooks) {
      if (!alone) add_unexpired(trusted, webhook.bundle, now);
    }
    const std::string bundle = join_bundle(trusted);
    for (const auto& webhook : current.registration.webhooks) {
      if (webhook.bundle == bundle) continue;
      return write(report, "set caBundle to ca.crt of " + secret + (alone ? "" : " and what was there before"),
                   [&] { return publish(seams_.api, current.registration, bundle); });
    }
    if (current.registration.webhooks.empty()) {
      report.trouble =
          "there is no MutatingWebhookConfiguration " + options_.names.registration + " to publish ca.crt in";
    }
  }

  static void add_unexpired(std::vector<std::string>& trusted, const std::string& bundle, Wall now) {
    const auto certificates = split_bundle(bundle);
    if (!certificates) return;
    for (const std::string& certificate : *certificates) {
      const auto info = inspect(certificate);
      if (!info || now >= info->not_after) continue;
      if (std::find(trusted.begin(), trusted.end(), certificate) == trusted.end()) trusted.push_back(certificate);
    }
  }

  void forget() override { wanted_.clear(); }

  std::string wanted_;
  Mono wanted_since_{};
};

}  // namespace

std::unique_ptr<Keeper> make_self_managed(KeeperSeams seams, KeeperOptions options) {
  return std::make_unique<SelfManaged>(std::move(seams), std::move(options));
}

std::unique_ptr<Keeper> make_from_secret(KeeperSeams seams, KeeperOptions options) {
  return std::make_unique<FromSecret>(std::move(seams), std::move(options));
}

}  // namespace snapfreeze::certs
