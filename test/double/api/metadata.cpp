#include "test/double/api/metadata.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "test/double/api/part.h"

namespace cluster {
namespace {

constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxAnnotations = 256 * 1024;

bool lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool alnum(char c) {
  return lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

bool is_dns_label(std::string_view text) {
  if (text.empty() || text.size() > kMaxLabel || !lower_alnum(text.front()) || !lower_alnum(text.back())) return false;
  for (const char c : text) {
    if (!lower_alnum(c) && c != '-') return false;
  }
  return true;
}

// Labels of a subdomain are not limited to 63 characters by Kubernetes, only the whole to 253.
bool is_dns_subdomain(std::string_view text) {
  if (text.empty() || text.size() > kMaxName) return false;
  char before = '.';
  for (const char c : text) {
    if (!lower_alnum(c) && c != '-' && c != '.') return false;
    if ((before == '.' || before == '-') && c == '.') return false;
    if (before == '.' && c == '-') return false;
    before = c;
  }
  return lower_alnum(text.front()) && lower_alnum(text.back());
}

bool is_qualified_part(std::string_view text) {
  if (text.size() > kMaxLabel || text.empty() || !alnum(text.front()) || !alnum(text.back())) return false;
  for (const char c : text) {
    if (!alnum(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

bool is_qualified_name(const std::string& key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string::npos) return is_qualified_part(key);
  return is_dns_subdomain(key.substr(0, slash)) && is_qualified_part(key.substr(slash + 1));
}

void check_labels(const Json& labels, std::vector<std::string>& found) {
  for (const auto& [key, value] : labels.items()) {
    if (!is_qualified_name(key)) {
      found.push_back("metadata.labels: Invalid value: \"" + key +
                      "\": name part must consist of alphanumeric "
                      "characters, '-', '_' or '.', no more than 63 characters");
    }
    if (!value.is_string() ||
        (!value.get_ref<const std::string&>().empty() && !is_qualified_part(value.get_ref<const std::string&>()))) {
      found.push_back("metadata.labels: Invalid value: " + value.dump() +
                      ": must be no more than 63 characters and a valid label must be an empty string or consist of "
                      "alphanumeric characters, '-', '_' or '.'");
    }
  }
}

void check_annotations(const Json& annotations, std::vector<std::string>& found) {
  std::size_t total = 0;
  for (const auto& [key, value] : annotations.items()) {
    std::string lower = key;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!is_qualified_name(lower)) found.push_back("metadata.annotations: Invalid value: \"" + key + "\"");
    if (!value.is_string()) {
      found.push_back("metadata.annotations." + key + ": Invalid value: must be a string");
      continue;
    }
    total += key.size() + value.get_ref<const std::string&>().size();
  }
  if (total > kMaxAnnotations) found.emplace_back("metadata.annotations: Too long: may not be more than 262144 bytes");
}

void check_owners(const Json& owners, std::vector<std::string>& found) {
  int controllers = 0;
  for (const Json& owner : owners) {
    for (const char* field : {"apiVersion", "kind", "name", "uid"}) {
      if (owner.value(field, "").empty()) {
        found.push_back(std::string("metadata.ownerReferences.") + field + ": Invalid value: \"\": must not be empty");
      }
    }
    controllers += owner.value("controller", false) ? 1 : 0;
  }
  if (controllers > 1) {
    found.emplace_back("metadata.ownerReferences: Invalid value: Only one reference can have Controller set to true");
  }
}

// "2026-11-23T13:17:00.000000Z", or an offset instead of the Z.
bool is_micro_time(const std::string& text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000000";
  if (text.size() <= kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return false;
  }
  const std::string zone = text.substr(kForm.size());
  return zone == "Z" || (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':');
}

// The decoder's part of the real server: a micro time that does not parse is refused.
void check_micro_time(const Json& spec, const char* field, std::vector<std::string>& found) {
  const auto value = spec.find(field);
  if (value == spec.end() || value->is_null()) return;
  if (!value->is_string() || !is_micro_time(value->get<std::string>())) {
    found.push_back(std::string("spec.") + field + ": Invalid value: " + value->dump() + ": not a MicroTime");
  }
}

void check_lease(const Json& object, std::vector<std::string>& found) {
  const Json& spec = part(object, "spec");
  const auto duration = spec.find("leaseDurationSeconds");
  if (duration != spec.end() && !duration->is_null() && (!duration->is_number_integer() || *duration <= 0)) {
    found.push_back("spec.leaseDurationSeconds: Invalid value: " + duration->dump() + ": must be greater than 0");
  }
  const auto transitions = spec.find("leaseTransitions");
  if (transitions != spec.end() && !transitions->is_null() && (!transitions->is_number_integer() || *transitions < 0)) {
    found.push_back("spec.leaseTransitions: Invalid value: " + transitions->dump() +
                    ": must be greater than or equal to 0");
  }
  check_micro_time(spec, "acquireTime", found);
  check_micro_time(spec, "renewTime", found);
}

void check_event(const ResourceType& type, const Json& object, std::vector<std::string>& found) {
  const bool core = type.group.empty();
  const Json about = object.value(core ? "involvedObject" : "regarding", Json::object());
  const std::string ns = object["metadata"].value("namespace", "");
  const std::string about_ns = about.value("namespace", "");
  if (about_ns != ns && !(about_ns.empty() && ns == "default")) {
    found.push_back("involvedObject.namespace: Invalid value: \"" + about_ns + "\": does not match event.namespace");
  }
  if (core) return;
  for (const char* field : {"eventTime", "reportingController", "reportingInstance", "action", "reason", "type"}) {
    if (object.value(field, "").empty()) found.push_back(std::string(field) + ": Required value");
  }
}

void check_volume_snapshot(const Json& object, std::vector<std::string>& found) {
  const Json& source = part(part(object, "spec"), "source");
  if (source.contains("persistentVolumeClaimName") == source.contains("volumeSnapshotContentName")) {
    found.emplace_back(
        "spec.source: Invalid value: \"object\": exactly one of volumeSnapshotContentName and "
        "persistentVolumeClaimName must be set");
  }
}

// As Harvester's CRD says: a backup names its VM, whatever somebody makes of its other fields.
void check_backup(const Json& object, std::vector<std::string>& found) {
  const Json source = part(object, "spec").value("source", Json::object());
  for (const char* field : {"kind", "name"}) {
    if (!source.is_object() || !source.contains(field)) {
      found.push_back(std::string("spec.source.") + field + ": Required value");
    } else if (!source[field].is_string()) {
      found.push_back(std::string("spec.source.") + field + ": Invalid value: must be of type string");
    }
  }
}

std::string format(Wall time, const char* pattern) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), pattern, &parts);
  return {text.data(), size};
}

}  // namespace

std::string rfc3339(Wall time) {
  return format(time, "%Y-%m-%dT%H:%M:%SZ");
}

std::string rfc3339_micro(Wall time) {
  const auto fraction = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count() % 1'000'000;
  std::array<char, 16> digits{};
  std::snprintf(digits.data(), digits.size(), ".%06dZ", static_cast<int>(fraction));
  return format(time, "%Y-%m-%dT%H:%M:%S") + digits.data();
}

std::string http_date(Wall time) {
  return format(time, "%a, %d %b %Y %H:%M:%S GMT");
}

std::string new_uid(Runtime& runtime) {
  std::array<char, 40> text{};
  const std::uint64_t high = runtime.random(std::uint64_t{0}, ~std::uint64_t{0});
  const std::uint64_t low = runtime.random(std::uint64_t{0}, ~std::uint64_t{0});
  std::snprintf(text.data(), text.size(), "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high >> 32U),
                static_cast<unsigned>(high >> 16U & 0xffffU), static_cast<unsigned>(high & 0xfffU),
                static_cast<unsigned>(0x8000U | (low >> 48U & 0x3fffU)),
                static_cast<unsigned long long>(low & 0xffffffffffffU));
  return text.data();
}

std::string generated_name(Runtime& runtime, const std::string& generate_name) {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string name = generate_name.substr(0, 58);
  for (int i = 0; i < 5; ++i) name += kLetters[runtime.random(std::uint64_t{0}, kLetters.size() - 1)];
  return name;
}

std::vector<std::string> problems(const ResourceType& type, const Json& object) {
  std::vector<std::string> found;
  const Json& metadata = object["metadata"];
  const std::string name = metadata.value("name", "");
  if (type.resource == "namespaces" ? !is_dns_label(name) : !is_dns_subdomain(name)) {
    found.push_back(
        "metadata.name: Invalid value: \"" + name +
        "\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character; must be no more than 253 characters");
  }
  if (metadata.contains("labels")) check_labels(metadata["labels"], found);
  if (metadata.contains("annotations")) check_annotations(metadata["annotations"], found);
  if (metadata.contains("ownerReferences")) check_owners(metadata["ownerReferences"], found);
  if (type.resource == "leases") check_lease(object, found);
  if (type.resource == "events") check_event(type, object, found);
  if (type.resource == "volumesnapshots") check_volume_snapshot(object, found);
  if (type.group == "harvesterhci.io" && type.resource == "virtualmachinebackups") check_backup(object, found);
  return found;
}

}  // namespace cluster
