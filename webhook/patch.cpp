#include "webhook/patch.h"

#include <string_view>
#include <utility>
#include <vector>

#include "freeze/names.h"

namespace snapfreeze::webhook {
namespace {

constexpr std::size_t kAnnotationsLimit = 256 * 1024;  // of Kubernetes, keys and values of one object

// RFC 6901.
std::string pointer_token(std::string_view key) {
  std::string token;
  for (const char character : key) {
    if (character == '~') {
      token += "~0";
    } else if (character == '/') {
      token += "~1";
    } else {
      token += character;
    }
  }
  return token;
}

Json operation(const char* op, std::string path, Json value) {
  return Json::object({{"op", op}, {"path", std::move(path)}, {"value", std::move(value)}});
}

struct Entry {
  const char* key;
  std::string value;
  bool removed = false;
};

// Changes the map of strings at `path`, as it is in the object received, to the wanted entries.
void change_map(Json& patch, const std::string& path, const Json& map, const std::vector<Entry>& entries) {
  Json whole = Json::object();
  for (const Entry& entry : entries) {
    const std::string at = path + "/" + pointer_token(entry.key);
    const Json& present = map[entry.key];
    const bool exists = !present.is_null();
    if (entry.removed) {
      if (exists) patch.push(Json::object({{"op", "remove"}, {"path", at}}));
    } else if (!map.is_object()) {
      whole.set(entry.key, entry.value);
    } else if (!present.is_string() || present.string() != entry.value) {
      patch.push(operation(exists ? "replace" : "add", at, entry.value));
    }
  }
  // "add" also replaces an existing member that is not a map, such as null.
  if (!whole.members().empty()) patch.push(operation("add", path, std::move(whole)));
}

// The verdict, as annotations or as labels.
void add_verdict(const std::optional<freeze::Verdict>& verdict, std::vector<Entry>& entries) {
  for (auto& [key, value] : freeze::notes_of(verdict)) {
    const bool removed = value.empty();
    entries.push_back({key, std::move(value), removed});
  }
  entries.push_back({freeze::kFrozenFor, "", true});
}

std::vector<Entry> annotations_of(const Marks& marks) {
  std::vector<Entry> entries;
  if (!marks.backup.empty()) entries.push_back({freeze::kBackupAnnotation, marks.backup});
  if (!marks.vm.empty()) entries.push_back({freeze::kVmAnnotation, marks.vm});
  add_verdict(marks.verdict, entries);
  return entries;
}

std::vector<Entry> labels_of(Entry epoch, const std::optional<freeze::Verdict>& verdict) {
  std::vector<Entry> entries{std::move(epoch)};
  add_verdict(verdict, entries);
  return entries;
}

bool too_large(const Json& annotations, const std::vector<Entry>& entries) {
  std::size_t total = 0;
  for (const auto& [key, value] : annotations.members()) total += key.size() + value.string().size();
  for (const Entry& entry : entries) total += std::string_view(entry.key).size() + entry.value.size();
  return total > kAnnotationsLimit;
}

}  // namespace

Json patch_for(const Json& object, const Marks& marks) {
  Json patch = Json::array();
  const Json& metadata = object["metadata"];
  if (!metadata.is_object()) patch.push(operation("add", "/metadata", Json::object()));
  std::vector<Entry> annotations = annotations_of(marks);
  const bool fits = !too_large(metadata["annotations"], annotations);
  if (!fits) annotations = annotations_of(Marks{});
  // By these epochs the sweeper finds what it still owes a verdict. Where our annotations do not fit, neither does a
  // verdict, and the sweeper would try for ever to write it.
  const bool owed = marks.epoch == freeze::kEpochNone || marks.epoch == freeze::kEpochOffline;
  change_map(patch, "/metadata/labels", metadata["labels"],
             labels_of({freeze::kEpochLabel, marks.epoch, owed && !fits}, marks.verdict));
  change_map(patch, "/metadata/annotations", metadata["annotations"], annotations);
  return patch;
}

Json removals_for(const Json& object) {
  Json patch = Json::array();
  const Json& metadata = object["metadata"];
  change_map(patch, "/metadata/labels", metadata["labels"], labels_of({freeze::kEpochLabel, "", true}, std::nullopt));
  std::vector<Entry> annotations = annotations_of(Marks{});
  annotations.push_back({freeze::kBackupAnnotation, "", true});
  change_map(patch, "/metadata/annotations", metadata["annotations"], annotations);
  return patch;
}

}  // namespace snapfreeze::webhook
