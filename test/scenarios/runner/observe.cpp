#include "test/scenarios/runner/observe.h"

#include <algorithm>

#include "test/scenarios/runner/objects.h"

namespace runner {
namespace {

std::string key_of(const Json& object) {
  const Json& metadata = object.at("metadata");
  return metadata.value("namespace", "") + "/" + metadata.value("name", "");
}

std::string marked(const Json& object, const char* kind, const std::string& name) {
  const Json& metadata = object.at("metadata");
  const auto marks = metadata.find(kind);
  return marks == metadata.end() ? "" : marks->value(kPrefix + name, "");
}

Verdict verdict_of(const Json& object) {
  const std::string consistency = marked(object, "annotations", "consistency");
  if (consistency.empty()) return {"none", ""};
  return {consistency, marked(object, "annotations", "reason")};
}

std::string backup_of(const Json& snapshot) {
  for (const Json& owner : snapshot.at("metadata").value("ownerReferences", Json::array())) {
    if (owner.value("kind", "") == "VirtualMachineBackup") return owner.value("name", "");
  }
  return marked(snapshot, "labels", "backup");
}

class Reader {
 public:
  Reader(const Sources& sources, double start_ms) : sources_(sources), start_ms_(start_ms) {}

  void read_guests(Observed& out) const {
    for (const auto& [vm, guest] : sources_.guests.items()) {
      for (const Json& interval : guest.at("intervals")) {
        Frozen frozen;
        frozen.from = since(interval.at("from_ms"));
        if (!interval.at("until_ms").is_null()) frozen.until = since(interval.at("until_ms"));
        frozen.frozen_by = kind_of_caller(interval.at("frozen_by"));
        frozen.thawed_by = kind_of_caller(interval.at("thawed_by"));
        frozen.whole = interval.at("whole");
        out.guests[vm].frozen.push_back(frozen);
      }
    }
  }

  void read_objects(Observed& out) const {
    for (const Json& object : sources_.snapshots) {
      SeenSnapshot snapshot;
      snapshot.uid = object.at("metadata").value("uid", "");
      snapshot.disk = object.at("spec").at("source").value("persistentVolumeClaimName", "");
      snapshot.claim = object.at("metadata").value("namespace", "") + "/" + snapshot.disk;
      snapshot.backup = backup_of(object);
      snapshot.epoch = marked(object, "labels", "epoch");
      snapshot.verdict = verdict_of(object);
      out.snapshots[key_of(object)] = snapshot;
    }
    for (const Json& object : sources_.backups) {
      const Json status = object.value("status", Json::object());
      out.backups[key_of(object)] = {verdict_of(object), status.value("readyToUse", false)};
    }
    for (const Json& lease : sources_.leases) {
      if (!marked(lease, "labels", "session").empty()) ++out.sessions;
    }
  }

  // After the objects: a cut is told by its snapshot's name.
  void read_timeline(Observed& out) const {
    for (const Json& entry : sources_.timeline) {
      const std::string kind = entry.at("kind"), object = entry.at("object"), detail = entry.at("detail");
      const Since at = since(entry.at("ms"));
      if (kind == "power" && detail == "on") out.guests[object].powered.push_back({at, std::nullopt});
      if (kind == "power" && detail == "off" && !out.guests[object].powered.empty()) {
        out.guests[object].powered.back().until = at;
      }
      if (kind == "hold") out.holders[object].push_back({{at, std::nullopt}, detail});
      if (kind == "let-go") {
        for (Holder& holder : out.holders[object]) {
          if (holder.by == detail && !holder.until) holder.until = at;
        }
      }
      if (kind == "longhorn" && at >= Since(0)) out.longhorn_calls.push_back(at);
      if (kind == "admission") {
        const std::size_t in = detail.rfind(" in ");
        const Since took = Millis(std::stoll(detail.substr(in + 4)));
        if (at >= Since(0)) out.longest_admission = std::max(out.longest_admission, took);
      }
      const auto snapshot = out.snapshots.find(object);
      if (kind == "cut" && snapshot != out.snapshots.end()) {
        snapshot->second.cut = at;
        snapshot->second.vm = detail;
      }
    }
  }

 private:
  Since since(double ms) const { return Since(static_cast<std::int64_t>((ms - start_ms_) * 1000)); }

  const Sources& sources_;
  const double start_ms_;
};

}  // namespace

std::string kind_of_caller(const std::string& caller) {
  for (const char* kind : {"webhook", "sweeper"}) {
    if (caller.rfind(std::string(kind) + "-", 0) == 0) return kind;
  }
  if (caller.find("harvester") != std::string::npos) return "harvester";
  if (caller == "vss") return "windows";
  if (caller == "vm-snapshot") return "kubevirt";
  if (caller == "admin" || caller.rfind("tenant", 0) == 0) return "by-hand";
  return caller;
}

Observed observe(const Sources& sources, double start_ms, Since now) {
  Observed out;
  out.now = now;
  const Reader reader(sources, start_ms);
  reader.read_guests(out);
  reader.read_objects(out);
  reader.read_timeline(out);
  return out;
}

}  // namespace runner
