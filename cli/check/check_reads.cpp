#include "cli/check/check_reads.h"

#include <algorithm>
#include <array>

#include "certs/certificates.h"
#include "cli/check/check_guests.h"
#include "cli/check/check_installation.h"
#include "cli/check/check_longhorn.h"
#include "cli/check/foretell.h"
#include "cli/shared/lists.h"
#include "cli/shared/spoilers_reads.h"
#include "freeze/names.h"
#include "freeze/session_store.h"
#include "kube/paths.h"
#include "kube/rest.h"
#include "tls/presented.h"
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

// The guests whose agents will be asked. Says so if these are not all.
std::vector<kube::VmiView> guests_to_ask(CheckFacts& facts) {
  std::vector<kube::VmiView> guests;
  std::size_t left_out = 0;
  for (GuestFacts& guest : guests_of(facts)) {
    if (!guest.vmi.agent_connected) continue;
    if (guests.size() < kMostGuests) {
      guests.push_back(std::move(guest.vmi));
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) {
    facts.unseen_agents.push_back(std::to_string(left_out) +
                                  " more were not asked whether they may freeze: check one namespace at a time");
  }
  return guests;
}

void ask_agents(kube::KubeApi& api, CheckFacts& facts) {
  const auto guests = guests_to_ask(facts);
  std::vector<kube::Request> requests;
  requests.reserve(guests.size());
  for (const kube::VmiView& vmi : guests) {
    requests.push_back(kube::get_request(
        kube::object_path(kube::kGuestCalls, vmi.metadata.namespace_, vmi.metadata.name, "guestosinfo"),
        kCheckTimeout));
  }
  const auto replies = api.call_all(requests);
  std::size_t failed = 0;
  std::string why;
  for (std::size_t i = 0; i < guests.size(); ++i) {
    const auto info = kube::object_of(replies[i]);
    if (info) facts.takes_freeze[key_of(guests[i])] = takes_freeze(*info);
    // Gone by now, or not running.
    const bool passing = !info && (info.error().code == Code::kNotFound || info.error().code == Code::kConflict);
    if (info || passing) continue;
    if (++failed == 1) why = info.error().message;
  }
  if (failed > 0) {
    facts.unseen_agents.push_back("whether " + std::to_string(failed) + " of them may freeze is not known: " + why);
  }
}

// Only whether they exist. There may be very many.
void read_snapshots(kube::KubeApi& api, const std::string& ns, CheckFacts& facts) {
  const auto failed = [](const kube::BackupView& backup) { return !backup.complete() && !backup.error.empty(); };
  if (!facts.backups || std::none_of(facts.backups->begin(), facts.backups->end(), failed)) return;
  const auto project = [](const Json& object) {
    const Json& metadata = object["metadata"];
    return std::optional<std::string>(metadata["namespace"].string() + "/" + metadata["name"].string());
  };
  const auto names = list_some<std::string>(api, kube::kVolumeSnapshots, ns, project);
  if (names) {
    facts.snapshots = std::set<std::string>(names->begin(), names->end());
  } else {
    facts.snapshots = names.error();
  }
}

// The chart grants fewer if the certificates come from elsewhere. A Secret of our own bears our label.
std::vector<Right> rights_of_sweeper(const Result<Json>& serving_secret) {
  std::vector<Right> rights(sweeper_rights().begin(), sweeper_rights().end());
  const bool own =
      serving_secret && (*serving_secret)["metadata"]["labels"]["app.kubernetes.io/name"].string() == "snapfreeze";
  if (own) rights.insert(rights.end(), keeper_rights().begin(), keeper_rights().end());
  return rights;
}

}  // namespace

Result<CheckFacts> read_check(kube::KubeApi& api, Clock& clock, const CheckScope& scope) {
  const std::string settings = kube::object_path(kHarvesterSettings, "", "server-version");
  const std::array<kube::Request, 7> requests{
      kube::get_request("/version"),
      leader_request(scope),
      kube::get_request(kube::object_path(kube::kMutatingWebhookConfigurations, "", kRegistrationName)),
      kube::get_request(kube::object_path(kube::kSecrets, scope.home.namespace_, certs::StoredNames{}.serving_secret)),
      kube::get_request(kube::collection_path(kKubeVirts) + "?limit=10", kCheckTimeout),
      kube::get_request(settings),
      longhorn_request(),
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
  facts.longhorn = kube::object_of(replies[6]);
  facts.backups = list_views<kube::BackupView>(api, kube::kHarvesterBackups, scope.namespace_);
  facts.vmis = list_views<kube::VmiView>(api, kube::kVirtualMachineInstances, scope.namespace_);
  read_snapshots(api, scope.namespace_, facts);
  if (!scope.connect.empty()) facts.served = tls::presented_certificate(scope.connect, kHandshakeTimeout);
  facts.access = {ask_access(api, scope, scope.webhook_account, webhook_rights()),
                  ask_access(api, scope, scope.sweeper_account, rights_of_sweeper(facts.serving_secret)),
                  ask_access(api, scope, "", admin_rights())};
  ask_agents(api, facts);
  if (leader_is_doubtful(facts.leader.first, facts.now) && clock.wait(kRenewals)) {
    facts.leader.second = kube::object_of(api.call(leader_request(scope)));
  }
  return facts;
}

namespace {

// Of the running guest, if there is one.
std::optional<bool> ask_agent(kube::KubeApi& api, const std::string& ns, const std::string& vm,
                              std::vector<std::string>& unseen) {
  const auto info = kube::get(api, kube::object_path(kube::kGuestCalls, ns, vm, "guestosinfo"), kCheckTimeout);
  if (info) return takes_freeze(*info);
  unseen.push_back("whether its guest agent may freeze: " + info.error().message);
  return std::nullopt;
}

}  // namespace

Result<std::vector<Finding>> read_foretold(kube::KubeApi& api, Clock& clock, const Home& home, const std::string& ns,
                                           const std::string& vm) {
  Foretold facts;
  freeze::SessionStore sessions(api, home.namespace_);
  auto session = sessions.read(ns, vm);
  if (session) {
    facts.admission.session = std::move(*session);
  } else {
    facts.unseen.push_back("whether a session holds it: " + session.error().message);
  }
  facts.admission.hold = hold_of_next_backup();
  freeze::Guest& guest = facts.admission.guest;
  const auto seen = webhook::read_guest(api, {ns, "", "", vm, facts.admission.hold, {}}, kCheckTimeout, nullptr, guest);
  if (!seen) return seen.error();
  if (!guest.vmi && !guest.vm) return Error{Code::kNotFound, "there is no VM " + ns + "/" + vm, 404};
  facts.admission.server_clock = clock.wall();
  facts.now = std::chrono::floor<std::chrono::seconds>(clock.wall());
  facts.others = read_others(api, ns, {true, true, true});
  if (guest.vmi && guest.vmi->running() && guest.vmi->agent_connected) {
    facts.takes_freeze = ask_agent(api, ns, vm, facts.unseen);
  }
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
