// The API server's call-out to mutating webhooks, for VolumeSnapshot CREATE. It follows the
// MutatingWebhookConfiguration objects in the store as kube-apiserver does; only match conditions are limited to the
// forms of match_conditions.h.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

class Store;
class Truth;

struct WebhookCall {
  std::string target;       // "/mutate?timeout=10s"
  std::string server_name;  // what the certificate must be valid for
  std::string ca_bundle;    // PEM
  std::string body;         // an AdmissionReview
  Mono deadline;
};

struct WebhookReply {
  int status = 0;  // 0: none came; `error` says why
  std::string body;
  std::optional<int> retry_after;  // seconds
  std::string error;
};

// One replica of a webhook. Thread-safe.
class AdmissionTransport {
 public:
  virtual ~AdmissionTransport() = default;
  // Returns at the deadline at the latest.
  virtual WebhookReply post(const WebhookCall& call) = 0;
};

// What a chart would register. Written to the store as a MutatingWebhookConfiguration.
struct WebhookOptions {
  std::string name = "snapfreeze";
  // Replicas behind the Service, drawn per call. They serve `path` and prove to be "<name>.<service_namespace>.svc".
  std::string service_namespace = "snapfreeze";
  std::string path = "/mutate";
  std::string ca_bundle;  // PEM
  int timeout_seconds = 10;
  std::string failure_policy = "Ignore";
  std::string opt_out_namespace_label = "snapfreeze.harvesterhci.io/ignore";
  std::vector<std::string> match_conditions = {
      "has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(o, o.kind == "
      "'VirtualMachineBackup') "
      "|| has(object.metadata.labels) && ('snapfreeze.harvesterhci.io/backup' in object.metadata.labels "
      "|| 'snapfreeze.harvesterhci.io/epoch' in object.metadata.labels)"};
};

class Admission {
 public:
  Admission(Runtime& runtime, Store& store, Truth& truth) : runtime_(runtime), store_(store), truth_(truth) {}

  // Registers (or replaces) webhook and replicas. Locks by itself, as all public members but where they say otherwise.
  void register_webhook(const WebhookOptions& options, std::vector<std::shared_ptr<AdmissionTransport>> replicas);
  void set_replicas(const std::string& ns, const std::string& service,
                    std::vector<std::shared_ptr<AdmissionTransport>> replicas);

  // How webhooks registered by URL are reached; without it they cannot be called.
  using Connect = std::function<std::shared_ptr<AdmissionTransport>(const std::string& host, int port)>;
  void set_connect(Connect connect);

  // What a validating webhook may do, as Harvester's does: refuse the object of that name after ours has seen it. So
  // many times; -1: always.
  void reject_after_admission(const std::string& ns, const std::string& name, int times = -1);
  // Reinvocation: each webhook is called so many times for one object, the later times with the patched object.
  void set_rounds(int rounds) { rounds_ = rounds; }

  // The object as admitted, in `object`; or the reply that refuses the request. Blocks; call without the lock.
  std::optional<Reply> admit(const HttpRequest& request, Json& object, bool dry_run);

 private:
  struct Webhook {
    std::string name;
    Json config;
  };

  std::vector<Webhook> matching(const Json& object, const std::string& ns, std::optional<Reply>& trouble);
  std::optional<Reply> call(const Webhook& webhook, const HttpRequest& request, Json& object, bool dry_run);
  WebhookReply post(const Webhook& webhook, std::string body);
  std::shared_ptr<AdmissionTransport> draw_replica(const Json& client_config, WebhookCall& call);

  Runtime& runtime_;
  Store& store_;
  Truth& truth_;
  Connect connect_;
  std::map<std::string, std::vector<std::shared_ptr<AdmissionTransport>>> services_;  // "namespace/name"
  std::map<std::string, int> rejected_;  // "namespace/name": how often still
  std::atomic<int> rounds_{1};
};

}  // namespace cluster
