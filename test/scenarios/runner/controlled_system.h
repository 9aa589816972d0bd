// What the two levels on the double share. They use its control endpoints, in process or over HTTPS, to set it up, to
// disturb it and to ask what really happened.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "test/scenarios/runner/placeholders.h"
#include "test/scenarios/runner/system.h"

namespace runner {

inline constexpr char kOwnNamespace[] = "snapfreeze";
// What the chart gives a webhook.
inline constexpr int kWebhookSeconds = 15;

class ControlledSystem : public System {
 public:
  [[nodiscard]] Millis webhook_timeout() const override { return std::chrono::seconds(kWebhookSeconds); }
  void begin(const Backup& backup) override;
  void begin(const Snapshot& snapshot) override;
  void begin(const Pod& pod) override;
  void end(const Pod& pod) override;
  void happen(const Event& event) override;
  Observed look() override;
  std::map<std::string, int> calls() override;

 protected:
  using Json = nlohmann::json;

  // `path` follows "/sandbox/". Throws when it is refused.
  virtual Json control(const std::string& method, const std::string& path, const Json& body) = 0;
  // Returns at once.
  virtual void request(const std::string& user, const std::string& method, const std::string& target,
                       const Json& body) = 0;
  // A merge patch or another change, as `user`; the status of the reply. Waits for it.
  virtual int act(const std::string& user, const std::string& method, const std::string& target, const Json& body) = 0;
  // Null if there is none. Throws if the API does not answer.
  virtual Json object(const std::string& collection, const std::string& ns, const std::string& name) = 0;
  virtual Json items(const std::string& collection) = 0;
  virtual void kill_process(const std::string& name, std::optional<Millis> back_after) = 0;
  virtual void kill_at_call(const std::string& name, int call, std::optional<Millis> back_after) = 0;
  // It stops, and continues after that time.
  virtual void hang_process(const std::string& name, Millis lasts) = 0;
  virtual void hang_at_call(const std::string& name, const Event& event) = 0;
  [[nodiscard]] virtual Since now() const = 0;
  [[nodiscard]] virtual std::string own_namespace() const { return kOwnNamespace; }

  // What the cluster is like before snapfreeze is started.
  void set_up(const Scenario& scenario);
  // The scenario starts.
  void set_start();
  [[nodiscard]] const Scenario& scenario() const { return scenario_; }
  // "webhook-0", ...; `kinds` is webhooks, sweepers or snapfreeze, or one's own name.
  [[nodiscard]] std::vector<std::string> processes(const std::string& kinds) const;

 private:
  void set_up_storage(const Scenario& scenario);
  void set_up_kubevirt(const Scenario& scenario);
  void on_vm(const std::string& vm, const std::string& action, const Json& body = Json::object());
  void delete_object(const std::string& collection, const std::string& backup, const std::string& name);
  void fault(const Event& event, const std::string& kind, const std::string& verb);
  void guest_fault(const Event& event, const std::string& operation);
  void end_watches(const Event& event);
  void hold_back_watches(const Event& event);
  void kill(const Event& event);
  void hang(const Event& event);
  void change(const Event& event);
  Json filled(Json json);
  std::string resolve(const Placeholder& placeholder);
  std::string uid_of(const std::string& text);
  [[nodiscard]] std::string namespace_of_named(const KindWord& kind, const std::string& name) const;
  [[nodiscard]] std::string collection_of(const KindWord& kind) const;
  [[nodiscard]] std::vector<std::string> callers(const std::string& by) const;
  [[nodiscard]] std::string namespace_of(const std::string& vm) const { return scenario_.find_vm(vm)->namespace_; }
  [[nodiscard]] std::string namespace_of_backup(const std::string& backup) const;

  Scenario scenario_;
  double start_ms_ = 0;  // on the double's clock
  struct {
    Json snapshots = Json::array(), backups = Json::array(), leases = Json::array();
  } last_;
};

}  // namespace runner
