#include "cli/check_reads.h"

#include <array>

#include "certs/certificates.h"
#include "cli/foretell.h"
#include "edge/handshake.h"
#include "freeze/names.h"
#include "freeze/session_store.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "webhook/reads.h"

namespace snapfreeze::cli {
namespace {

constexpr Millis kCheckTimeout{10000};
constexpr Millis kDryRunTimeout{20000};  // longer than a webhook may take
constexpr Millis kHandshakeTimeout{5000};
constexpr Millis kRenewals{6000};  // a leader renews every 2 s
constexpr std::size_t kMostGuests = 500;

constexpr kube::Resource kKubeVirts{"kubevirt.io", "v1", "kubevirts", "KubeVirt"};
constexpr kube::Resource kHarvesterSettings{"harvesterhci.io", "v1beta1", "settings", "Setting", false};

kube::Request leader_request(const CheckScope& scope) {
  return kube::get_request(kube::object_path(kube::kLeases, scope.home.namespace_, freeze::kLeaderLease));
}

AccessFacts ask_access(kube::KubeApi& api, const CheckScope& scope, const std::string& account,
                       std::span<const Right> rights) {
  const std::string user = account.empty() ? "" : "system:serviceaccount:" + scope.home.namespace_ + ":" + account;
  const std::string plural = account.empty() ? "selfsubjectaccessreviews" : "subjectaccessreviews";
  std::vector<kube::Request> requests;
  for (const Right& right : rights) {
    requests.push_back({kube::Method::kPost, "/apis/authorization.k8s.io/v1/" + plural,
                        access_review(right, scope.home.namespace_, user).dump(), "application/json", kCheckTimeout});
  }
  const auto replies = api.call_all(requests);
  AccessFacts facts{account.empty() ? "yours" : user, {}};
  for (std::size_t i = 0; i < rights.size(); ++i) {
    const auto answer = kube::object_of(replies[i]);
    Result<bool> allowed = answer ? Result<bool>((*answer)["status"]["allowed"].boolean()) : answer.error();
    facts.answers.emplace_back(rights[i], std::move(allowed));
  }
  return facts;
}

std::string key_of(const kube::VmiView& vmi) {
  return vmi.metadata.namespace_ + "/" + vmi.metadata.name;
}

void ask_guests(kube::KubeApi& api, CheckFacts& facts) {
  std::vector<std::string> keys;
  std::vector<kube::Request> requests;
  for (const GuestFacts& guest : guests_of(facts)) {
    if (!guest.vmi.agent_connected || keys.size() == kMostGuests) continue;
    keys.push_back(key_of(guest.vmi));
    requests.push_back(kube::get_request(
        kube::object_path(kube::kGuestCalls, guest.vmi.metadata.namespace_, guest.vmi.metadata.name, "guestosinfo"),
        kCheckTimeout));
  }
  const auto replies = api.call_all(requests);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto info = kube::object_of(replies[i]);
    if (info) facts.guest_infos[keys[i]] = *info;
  }
}

}  // namespace

Result<CheckFacts> read_check(kube::KubeApi& api, Clock& clock, const CheckScope& scope) {
  const std::string settings = kube::object_path(kHarvesterSettings, "", "server-version");
  const std::array<kube::Request, 8> requests{
      kube::get_request("/version"),
      leader_request(scope),
      kube::get_request(kube::object_path(kube::kMutatingWebhookConfigurations, "", kRegistrationName)),
      kube::get_request(kube::object_path(kube::kSecrets, scope.home.namespace_, certs::StoredNames{}.serving_secret)),
      kube::get_request(kube::collection_path(kKubeVirts), kCheckTimeout),
      kube::get_request(settings),
      kube::get_request(kube::collection_path(kube::kHarvesterBackups, scope.namespace_), kCheckTimeout),
      kube::get_request(kube::collection_path(kube::kVirtualMachineInstances, scope.namespace_), kCheckTimeout),
  };
  const auto replies = api.call_all(requests);
  if (!replies[0]) return replies[0].error();
  CheckFacts facts;
  facts.home = scope.home;
  facts.now = replies[0]->date.value_or(std::chrono::system_clock::now());
  facts.version = kube::object_of(replies[0]);
  facts.leader.first = kube::object_of(replies[1]);
  facts.registration = kube::object_of(replies[2]);
  facts.serving_secret = kube::object_of(replies[3]);
  facts.kubevirts = kube::object_of(replies[4]);
  facts.harvester_version = kube::object_of(replies[5]);
  facts.backups = kube::object_of(replies[6]);
  facts.vmis = kube::object_of(replies[7]);
  if (!scope.connect.empty()) facts.served = edge::presented_certificate(scope.connect, kHandshakeTimeout);
  facts.access = {ask_access(api, scope, scope.webhook_account, webhook_rights()),
                  ask_access(api, scope, scope.sweeper_account, sweeper_rights()),
                  ask_access(api, scope, "", admin_rights())};
  ask_guests(api, facts);
  if (leader_is_doubtful(facts.leader.first, facts.now) && clock.wait(kRenewals)) {
    facts.leader.second = kube::object_of(api.call(leader_request(scope)));
  }
  return facts;
}

std::vector<GuestFacts> guests_of(const CheckFacts& facts) {
  std::vector<GuestFacts> guests;
  if (!facts.vmis) return guests;
  for (const Json& item : (*facts.vmis)["items"].items()) {
    GuestFacts guest{kube::VmiView::from(item), std::nullopt};
    if (!guest.vmi.running()) continue;
    const auto info = facts.guest_infos.find(key_of(guest.vmi));
    if (info != facts.guest_infos.end()) guest.info = info->second;
    guests.push_back(std::move(guest));
  }
  return guests;
}

// A backup takes each disk that a VM has.
static std::string first_disk(const freeze::Guest& guest) {
  const bool runs = guest.vmi && !guest.vmi->off();
  const auto disks = runs ? guest.vmi->disks() : guest.vm ? guest.vm->claims : guest.vmi->claims;
  return disks.empty() ? "" : disks.front();
}

Result<Finding> read_foretold(kube::KubeApi& api, const Home& home, const std::string& ns, const std::string& vm) {
  webhook::Facts facts;
  freeze::SessionStore sessions(api, home.namespace_);
  auto session = sessions.read(ns, vm);
  if (!session) return session.error();
  facts.session = std::move(*session);
  facts.hold = hold_of_next_backup();
  const auto seen = webhook::read_guest(api, {ns, "", "", vm, facts.hold, {}}, kCheckTimeout, nullptr, facts.guest);
  if (!seen) return seen.error();
  if (!facts.guest.vmi && !facts.guest.vm) return Error{Code::kNotFound, "there is no VM " + ns + "/" + vm, 404};
  facts.disk = first_disk(facts.guest);
  facts.server_clock = std::chrono::system_clock::now();
  return foretell(ns + "/" + vm, facts);
}

Finding try_dry_run(kube::KubeApi& api, const std::string& ns) {
  const Json snapshot = Json::object(
      {{"apiVersion", kube::api_version(kube::kVolumeSnapshots)},
       {"kind", kube::kVolumeSnapshots.kind},
       {"metadata", Json::object({{"generateName", "snapfreeze-check-"},
                                  {"namespace", ns},
                                  {"labels", Json::object({{freeze::kBackupLabel, "snapfreeze-check"}})}})},
       {"spec", Json::object({{"source", Json::object({{"persistentVolumeClaimName", "none"}})}})}});
  return check_dry_run(
      kube::create(api, kube::collection_path(kube::kVolumeSnapshots, ns) + "?dryRun=All", snapshot, kDryRunTimeout));
}

}  // namespace snapfreeze::cli
