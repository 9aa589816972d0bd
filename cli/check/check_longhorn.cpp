#include "cli/check/check_longhorn.h"

#include "kube/rest.h"

namespace snapfreeze::cli {
namespace {

using Level = Finding::Level;

constexpr char kAboutLonghorn[] = "Longhorn";
constexpr char kLonghornApi[] = "/api/v1/namespaces/longhorn-system/services/http:longhorn-backend:9500/proxy/v1";
constexpr Millis kLonghornTimeout{5000};

}  // namespace

kube::Request longhorn_request() {
  return kube::get_request(kLonghornApi, kLonghornTimeout);
}

void check_longhorn(const CheckFacts& facts, std::vector<Finding>& findings) {
  if (facts.longhorn) {
    findings.push_back(
        {Level::kGood, kAboutLonghorn, "its REST API answers: guests are thawed as soon as their disks are cut"});
    return;
  }
  const Error& error = facts.longhorn.error();
  if (error.code == Code::kNotFound || error.code == Code::kForbidden) return;
  findings.push_back(
      {Level::kWarning, kAboutLonghorn,
       "its REST API does not answer (" + error.message +
           "): guests with disks on Longhorn up to 1.11 may stay frozen for up to 7 s longer than the cut",
       "look at the pods of longhorn-manager and their log"});
}

}  // namespace snapfreeze::cli
