#include "test/double/api/review.h"

#include "test/double/api/part.h"
#include "test/double/face/base64.h"

namespace cluster {
namespace {

using OrderedJson = nlohmann::ordered_json;

Json fields_of(const Json& value) {
  Json fields = Json::object();
  if (!value.is_object()) return fields;
  fields["."] = Json::object();
  for (const auto& [key, child] : value.items()) fields["f:" + key] = fields_of(child);
  return fields;
}

Json metadata_fields(const Json& metadata) {
  Json fields = Json::object();
  for (const char* map : {"annotations", "labels"}) {
    if (metadata.contains(map)) fields[std::string("f:") + map] = fields_of(metadata[map]);
  }
  if (metadata.contains("generateName")) fields["f:generateName"] = Json::object();
  if (metadata.contains("ownerReferences")) {
    Json owners = {{".", Json::object()}};
    for (const Json& owner : metadata["ownerReferences"]) {
      owners["k:" + Json{{"uid", owner.value("uid", "")}}.dump()] = Json::object();
    }
    fields["f:ownerReferences"] = owners;
  }
  return fields;
}

OrderedJson group_version(const char* last, const char* value) {
  return {{"group", "snapshot.storage.k8s.io"}, {"version", "v1"}, {last, value}};
}

OrderedJson user_info(const std::string& user) {
  OrderedJson groups = OrderedJson::array();
  constexpr std::string_view kServiceAccount = "system:serviceaccount:";
  if (user.rfind(kServiceAccount, 0) == 0) {
    const std::size_t end = user.find(':', kServiceAccount.size());
    groups.push_back("system:serviceaccounts");
    groups.push_back("system:serviceaccounts:" + user.substr(kServiceAccount.size(), end - kServiceAccount.size()));
  }
  groups.push_back("system:authenticated");
  return {{"username", user}, {"groups", groups}};
}

}  // namespace

void add_managed_fields(Json& object, const std::string& user_agent, const std::string& time) {
  Json fields = Json::object();
  if (Json metadata = metadata_fields(object["metadata"]); !metadata.empty()) fields["f:metadata"] = metadata;
  if (object.contains("spec")) fields["f:spec"] = fields_of(object["spec"]);
  object["metadata"]["managedFields"] = Json::array({{{"apiVersion", object.value("apiVersion", "")},
                                                      {"fieldsType", "FieldsV1"},
                                                      {"fieldsV1", fields},
                                                      {"manager", user_agent.substr(0, user_agent.find('/'))},
                                                      {"operation", "Update"},
                                                      {"time", time}}});
}

std::string review_body(const HttpRequest& request, const Json& object, const std::string& uid, bool dry_run) {
  OrderedJson inner = {{"uid", uid},
                       {"kind", group_version("kind", "VolumeSnapshot")},
                       {"resource", group_version("resource", "volumesnapshots")},
                       {"requestKind", group_version("kind", "VolumeSnapshot")},
                       {"requestResource", group_version("resource", "volumesnapshots")}};
  const std::string name = object["metadata"].value("name", "");
  if (!name.empty()) inner["name"] = name;
  inner["namespace"] = object["metadata"].value("namespace", "");
  inner["operation"] = "CREATE";
  inner["userInfo"] = user_info(request.caller);
  inner["object"] = object;
  inner["oldObject"] = nullptr;
  inner["dryRun"] = dry_run;
  inner["options"] = {{"kind", "CreateOptions"}, {"apiVersion", "meta.k8s.io/v1"}};
  if (dry_run) inner["options"]["dryRun"] = {"All"};
  return OrderedJson{{"kind", "AdmissionReview"}, {"apiVersion", "admission.k8s.io/v1"}, {"request", inner}}.dump();
}

ReviewAnswer read_answer(const std::string& body, const std::string& uid) {
  ReviewAnswer answer;
  try {
    const Json review = Json::parse(body);
    if (review.at("kind") != "AdmissionReview" || review.at("apiVersion") != "admission.k8s.io/v1") {
      answer.error = "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview";
      return answer;
    }
    const Json& response = review.at("response");
    if (response.at("uid") != uid) {
      answer.error = "expected response.uid=\"" + uid + "\", got " + response.at("uid").dump();
      return answer;
    }
    answer.allowed = response.at("allowed");
    const Json& status = part(response, "status");
    answer.code = status.value("code", 0);
    answer.message = status.value("message", "");
    const std::string patch = response.value("patch", "");
    if (patch.empty()) return answer;
    if (response.value("patchType", "") != "JSONPatch") {
      answer.error = "webhook returned response.patch but not response.patchType \"JSONPatch\"";
      return answer;
    }
    answer.patch = base64_decode(patch);
    if (!answer.patch) answer.error = "response.patch is not base64";
  } catch (const Json::exception& error) {
    answer.error = std::string("could not decode the webhook's response: ") + error.what();
  }
  return answer;
}

}  // namespace cluster
