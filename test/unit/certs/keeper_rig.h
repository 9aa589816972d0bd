// A keeper on the simulated cluster, with the MutatingWebhookConfiguration as the chart installs it: no caBundle.
#pragma once

#include <memory>
#include <string>

#include "base/base64.h"
#include "certs/certificates.h"
#include "certs/keeper.h"
#include "kube/observing_api.h"
#include "test/double/cluster.h"
#include "test/double/face/in_process_api.h"
#include "test/double/runtime/runtime_sim.h"
#include "test/double/runtime/sim_clock.h"

namespace snapfreeze::test {

inline constexpr char kOwn[] = "snapfreeze-system";
inline constexpr char kService[] = "snapfreeze.snapfreeze-system.svc";

struct KeeperRig {
  explicit KeeperRig(std::uint64_t seed = 1, bool registered = true) : runtime(seed), cluster(runtime) {
    options.names.own_namespace = kOwn;
    options.rules.names.dns = {kService};
    cluster.add_namespace(kOwn);
    if (registered) register_webhook();
    keeper = self_managed();
  }

  void register_webhook() {
    create("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
           {{"apiVersion", "admissionregistration.k8s.io/v1"},
            {"kind", "MutatingWebhookConfiguration"},
            {"metadata", {{"name", "snapfreeze"}, {"labels", {{"managed-by", "Helm"}}}}},
            {"webhooks",
             {{{"name", "volumesnapshots.snapfreeze.harvesterhci.io"},
               {"timeoutSeconds", 15},
               {"clientConfig", {{"service", {{"name", "snapfreeze"}, {"namespace", kOwn}}}}}}}}});
  }

  void create(const std::string& path, const cluster::Json& object) {
    const auto reply = cluster.call("admin", "POST", path, object);
    if (reply.status != 201) throw std::runtime_error(path + ": " + std::to_string(reply.status) + reply.body);
  }

  std::unique_ptr<certs::Keeper> self_managed() { return certs::make_self_managed(seams(), options); }
  certs::KeeperSeams seams() {
    return {api, clock, server_time, [this] { return leads; }};
  }

  // Steps, with the waits that they ask for, until nothing is done or left to wait for within `limit`.
  void settle(Millis limit = std::chrono::minutes(10)) {
    for (const Mono end = runtime.now() + limit; runtime.now() < end;) runtime.sleep_for(keeper->step().wait);
  }

  cluster::Json secret(const std::string& name) { return cluster.get("/secrets", kOwn, name); }
  std::string entry(const std::string& name, const std::string& key) {
    const auto object = secret(name);
    if (!object.is_object() || !object.contains("data")) return "";
    return base64_decode(object["data"].value(key, "")).value_or("");
  }
  std::string bundle() {
    const auto object = cluster.get("admissionregistration.k8s.io/mutatingwebhookconfigurations", "", "snapfreeze");
    return base64_decode(object["webhooks"][0]["clientConfig"].value("caBundle", "")).value_or("");
  }
  void set_entry(const std::string& name, const std::string& key, const std::string& value) {
    cluster.call("admin", "PATCH", std::string("/api/v1/namespaces/") + kOwn + "/secrets/" + name,
                 {{"data", {{key, base64_encode(value)}}}}, "application/merge-patch+json");
  }
  void set_bundle(const std::string& pem) {
    cluster.call("admin", "PATCH", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/snapfreeze",
                 cluster::Json::array(
                     {{{"op", "add"}, {"path", "/webhooks/0/clientConfig/caBundle"}, {"value", base64_encode(pem)}}}),
                 "application/json-patch+json");
  }
  void remove_secret(const std::string& name) {
    cluster.call("admin", "DELETE", std::string("/api/v1/namespaces/") + kOwn + "/secrets/" + name);
  }

  // A client would accept what the webhooks are told to serve.
  bool trusted() {
    const std::string leaf = entry("snapfreeze-tls", "tls.crt");
    const auto info = certs::inspect(leaf);
    return info && runtime.wall() < info->not_after && certs::check_signed_by(leaf, bundle()).ok();
  }

  certs::KeeperOptions options;
  cluster::SimRuntime runtime;
  cluster::Cluster cluster;
  cluster::SimClock clock{runtime};
  cluster::InProcessApi connection{cluster, "sweeper"};
  kube::ServerTime server_time;
  kube::ObservingApi api{connection, server_time, clock, [](std::string_view, int) {}};
  bool leads = true;
  std::unique_ptr<certs::Keeper> keeper;
};

}  // namespace snapfreeze::test
