#include "certs/rotation.h"

#include "certs/bundle.h"
#include "test/support/catch.h"
#include "test/unit/certs/now.h"

using namespace snapfreeze;
using namespace snapfreeze::certs;
using namespace std::chrono_literals;
using Step = RotationPlan::Step;

namespace {

constexpr auto kDay = 24h;
const SubjectAltNames kNames{{"snapfreeze.snapfreeze-system.svc"}, {}};

PemPair ca_of(Wall now) {
  return make_ca(ca_common_name(now), now).value();
}

// As the first steps leave it, `age` ago.
struct Installed {
  explicit Installed(std::chrono::hours age = 1h) {
    state.ca = ca_of(kNow - age);
    issue_leaf_now(kNow - age);
    state.bundles = {state.ca.certificate};
  }
  [[nodiscard]] RotationPlan plan(std::optional<Millis> published_for = std::nullopt, Wall now = kNow) const {
    return plan_rotation(state, rules, now, published_for);
  }
  // Carries out a step that the plan demands, and nothing else.
  void make_ca_now(Wall now = kNow) {
    const RotationPlan planned = plan(std::nullopt, now);
    state.retired = planned.step == Step::kMakeCa ? planned.retired : retire(state, now);
    state.ca = ca_of(now);
  }
  void issue_leaf_now(Wall now = kNow) {
    state.serving = issue_serving(state.ca, kNames, now).value();
    state.serving_ca = state.ca.certificate;
  }

  RotationState state;
  RotationRules rules{kNames, 5min};
};

}  // namespace

TEST_CASE("from nothing: a CA, the bundle, and at once a leaf, as there is none to wait for") {
  Installed all;
  all.state = {};
  all.state.bundles = {""};
  CHECK(all.plan().step == Step::kMakeCa);
  CHECK(all.plan().retired.empty());
  all.make_ca_now();
  CHECK(all.plan().step == Step::kPublish);
  CHECK(all.plan().bundle == all.state.ca.certificate);
  all.state.bundles = {all.plan().bundle};
  CHECK(all.plan().step == Step::kIssue);
}

TEST_CASE("when all is well nothing is done until the leaf's two thirds") {
  const Installed all(0h);
  const RotationPlan plan = all.plan();
  CHECK(plan.step == Step::kNone);
  const CertificateInfo leaf = inspect(all.state.serving.certificate).value();
  CHECK(plan.next == leaf.not_before + (leaf.not_after - leaf.not_before) * 2 / 3);
  CHECK(all.plan(1h, plan.next - 1s).step == Step::kNone);
  CHECK(all.plan(1h, plan.next).step == Step::kIssue);
}

TEST_CASE("a new CA is trusted beside the old one, and signs only when every API server can know it") {
  Installed all(244 * kDay);
  all.state.serving = issue_serving(all.state.ca, kNames, kNow - 1 * kDay).value();
  REQUIRE(all.plan().step == Step::kMakeCa);
  const std::string old = all.state.ca.certificate;
  all.make_ca_now();
  CHECK(all.state.retired == old);

  CHECK(all.plan().step == Step::kPublish);
  CHECK(all.plan().bundle == all.state.ca.certificate + old);
  all.state.bundles = {all.plan().bundle, all.state.ca.certificate};
  CHECK(all.plan().step == Step::kPublish);  // one of two webhooks is not published
  all.state.bundles = {all.plan().bundle};

  CHECK(all.plan(std::nullopt).step == Step::kNone);
  CHECK(all.plan(std::nullopt).next == kNow + 5min);
  CHECK(all.plan(5min - 1ms).step == Step::kNone);
  CHECK(all.plan(5min).step == Step::kIssue);
}

TEST_CASE("the old CA leaves the bundle when its last leaf has expired, and not before") {
  Installed all(240 * kDay);
  const std::string old = all.state.ca.certificate;
  all.make_ca_now();
  all.state.serving = issue_serving(all.state.ca, kNames, kNow + 20 * kDay).value();
  all.state.serving_ca = all.state.ca.certificate;
  all.state.bundles = {all.state.ca.certificate + old};
  // A leaf that the old CA issued at the very last.
  const Wall last = kNow + kServingLifetime;
  CHECK(all.plan(1h, last).step == Step::kNone);
  CHECK(all.plan(1h, last + 1h - 1s).step == Step::kNone);
  CHECK(all.plan(1h, last + 1h).step == Step::kPublish);
  CHECK(all.plan(1h, last + 1h).bundle == all.state.ca.certificate);
}

TEST_CASE("a CA that was replaced twice within a month is trusted as long as the one after it asks for") {
  Installed all(10 * kDay);
  const std::string first = all.state.ca.certificate;
  all.make_ca_now(kNow);
  const std::string second = all.state.ca.certificate;
  all.make_ca_now(kNow + 20 * kDay);
  const std::string third = all.state.ca.certificate;
  CHECK(all.plan(1h, kNow + 20 * kDay).bundle == third + second + first);
  CHECK(all.plan(1h, kNow + 31 * kDay).bundle == third + second);
  CHECK(all.plan(1h, kNow + 51 * kDay).bundle == third);
}

TEST_CASE("what another wrote into the bundle is repaired") {
  Installed all;
  SECTION("nothing") {
    all.state.bundles = {""};
  }
  SECTION("a foreign CA") {
    all.state.bundles = {make_ca("another", kNow)->certificate};
  }
  SECTION("a foreign CA beside ours") {
    all.state.bundles.front() += make_ca("another", kNow)->certificate;
  }
  SECTION("garbage") {
    all.state.bundles = {"-----BEGIN"};
  }
  CHECK(all.plan(1h).step == Step::kPublish);
  CHECK(all.plan(1h).bundle == all.state.ca.certificate);
}

TEST_CASE("a leaf that cannot be served is replaced") {
  Installed all;
  SECTION("none") {
    all.state.serving = {};
  }
  SECTION("garbage") {
    all.state.serving.certificate = "-----BEGIN";
  }
  SECTION("another's key") {
    all.state.serving.key = ca_of(kNow).key;
  }
  SECTION("of another name") {
    all.state.serving = issue_serving(all.state.ca, {{"another.svc"}, {}}, kNow).value();
  }
  SECTION("without its CA beside it") {
    all.state.serving_ca.clear();
  }
  SECTION("not valid yet") {
    all.state.serving = issue_serving(all.state.ca, kNames, kNow + 2h).value();
  }
  CHECK(all.plan().step == Step::kIssue);
}

TEST_CASE("a CA that cannot sign is replaced") {
  Installed all;
  SECTION("garbage") {
    all.state.ca.certificate = "-----BEGIN";
  }
  SECTION("no key") {
    all.state.ca.key.clear();
  }
  SECTION("another's key") {
    all.state.ca.key = ca_of(kNow).key;
  }
  SECTION("a leaf") {
    all.state.ca = all.state.serving;
  }
  CHECK(all.plan().step == Step::kMakeCa);
  CHECK_FALSE(all.plan().why.empty());
}

TEST_CASE("with its Secrets lost, the CA of what is still served stays trusted") {
  Installed all;
  const std::string old = all.state.ca.certificate;
  all.state.ca = {};
  SECTION("the CA's only") {}
  SECTION("both: what this program made is kept from the bundle, and nothing else") {
    all.state.serving = {};
    all.state.serving_ca.clear();
    all.state.bundles.front() += make_ca("another", kNow)->certificate;
  }
  CHECK(all.plan().step == Step::kMakeCa);
  CHECK(all.plan().retired == old);
}

TEST_CASE("a CA's Secret that is lost just after a rotation takes nobody's trust away") {
  Installed all;
  const std::string first = all.state.ca.certificate;
  all.make_ca_now();
  const std::string second = all.state.ca.certificate;
  all.state.bundles = {all.plan().bundle};
  all.issue_leaf_now();
  all.state.ca = {};
  all.state.retired.clear();
  CHECK(all.plan().retired == second + first);
}

TEST_CASE("with the CA's Secret lost and the bundle gone, the CA beside the leaf stays trusted") {
  Installed all;
  const std::string old = all.state.ca.certificate;
  all.state.ca = {};
  all.state.bundles = {""};
  REQUIRE(all.plan().step == Step::kMakeCa);
  CHECK(all.plan().retired == old);
}

TEST_CASE("a CA that is replaced twice in a row stays trusted, though a leaf of the second is stored already") {
  Installed all;
  const std::string first = all.state.ca.certificate;
  all.make_ca_now();
  const std::string second = all.state.ca.certificate;
  // A webhook has not read the new leaf yet.
  all.issue_leaf_now();
  all.make_ca_now(kNow + 1min);
  CHECK(all.state.retired == join_bundle({second, first}));
  CHECK(all.plan(std::nullopt, kNow + 1min).bundle == join_bundle({all.state.ca.certificate, second, first}));
}

TEST_CASE("a leaf that has expired is replaced at once, even while a new CA is being published") {
  Installed all(40 * kDay);
  all.make_ca_now();
  all.state.bundles = {all.plan().bundle};
  CHECK(all.plan(std::nullopt).step == Step::kIssue);
}

TEST_CASE("with no webhook to publish in, the Secrets are made all the same") {
  Installed all;
  all.state = {};
  all.make_ca_now();
  CHECK(all.plan().step == Step::kIssue);
}
