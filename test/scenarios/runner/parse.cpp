#include "test/scenarios/runner/parse.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/scenarios/runner/parse_events.h"
#include "test/scenarios/runner/parse_expect.h"
#include "test/scenarios/runner/placeholders.h"

namespace runner {
namespace {

Product read_product(Fields fields) {
  Product product;
  product.webhooks = fields.count("webhooks", product.webhooks);
  product.sweepers = fields.count("sweepers", product.sweepers);
  product.observe = fields.word("mode", {"freeze", "observe"}, "freeze") == "observe";
  product.thaw_on_ready = fields.word("thaw-on", {"captured", "ready"}, "captured") == "ready";
  product.max_freezes = fields.count("max-freezes", product.max_freezes);
  product.longhorn_url = fields.yes("longhorn-url", product.longhorn_url);
  product.webhook_clock = fields.duration("webhook-clock", product.webhook_clock);
  product.sweeper_clock = fields.duration("sweeper-clock", product.sweeper_clock);
  fields.finish();
  return product;
}

Vm read_vm(const std::string& name, Fields fields) {
  Vm vm;
  vm.name = name;
  vm.namespace_ = fields.text("namespace", vm.namespace_);
  vm.disks = fields.count("disks", vm.disks);
  vm.shares = fields.texts("shares");
  vm.hot_plugged = fields.count("hot-plugged", vm.hot_plugged);
  vm.state = fields.word("state", {"running", "stopped", "paused", "powered-off", "crashed"}, vm.state);
  vm.agent = fields.yes("agent", vm.agent);
  vm.windows = fields.word("os", {"linux", "windows"}, "linux") == "windows";
  vm.opted_out = fields.yes("opted-out", vm.opted_out);
  vm.freeze_takes = fields.duration("freeze-takes", vm.freeze_takes);
  vm.thaw_takes = fields.duration("thaw-takes", vm.thaw_takes);
  fields.finish();
  return vm;
}

Live read_live(Fields fields, const Live& otherwise) {
  Live live = otherwise;
  live.delay = fields.duration("delay", live.delay);
  live.lies = fields.yes("lies", live.lies);
  live.removed = fields.yes("removed", live.removed);
  live.by_system = fields.yes("by-system", live.by_system);
  live.vanishes = fields.duration("vanishes-after", live.vanishes);
  live.others = fields.count("other-snapshots", live.others);
  fields.finish();
  return live;
}

Storage read_storage(Fields& fields, const Storage& otherwise) {
  Storage storage = otherwise;
  storage.kind = fields.word("kind", {"csi", "longhorn", "old-longhorn"}, storage.kind);
  storage.cut = fields.duration("cut", storage.cut);
  storage.uploaded = fields.duration("uploaded", storage.uploaded);
  const bool always = fields.text("errors") == "always";
  storage.errors = always ? -1 : fields.has("errors") ? fields.count("errors", 0) : storage.errors;
  storage.error_every = fields.duration("error-every", storage.error_every);
  storage.never = fields.yes("never", storage.never);
  storage.in_1970 = fields.yes("clock-in-1970", storage.in_1970);
  storage.confirms = fields.yes("confirms", storage.confirms);
  storage.live = read_live(fields.fields("live"), storage.live);
  return storage;
}

void read_all_storage(Fields fields, Scenario& scenario) {
  scenario.storage = read_storage(fields, {});
  fields.named("disks", [&](const std::string& disk, Fields of_disk) {
    scenario.disks.push_back({disk, read_storage(of_disk, scenario.storage)});
    of_disk.finish();
  });
  fields.finish();
}

Harvester read_harvester(Fields fields) {
  Harvester harvester;
  harvester.creates_twice = fields.count("creates-twice", harvester.creates_twice);
  harvester.first_round = fields.has("first-round") ? fields.count("first-round", 0) : -1;
  harvester.second_round_after = fields.duration("second-round-after", harvester.second_round_after);
  harvester.stops_at_failure = fields.word("version", {"1.8", "1.9"}, "1.9") == "1.9";
  harvester.retries = fields.count("retries", harvester.retries);
  harvester.retry_every = fields.duration("retry-every", harvester.retry_every);
  fields.finish();
  return harvester;
}

std::string read_kubevirt(Fields fields) {
  const std::string version = fields.word("version", {"1.6", "1.7", "1.8", "1.9"}, "1.8");
  fields.finish();
  return version;
}

std::vector<Served> read_served(Fields fields) {
  std::vector<Served> all;
  for (const std::string& word : fields.keys()) {
    const KindWord* const kind = find_kind(word);
    if (kind == nullptr) fields.fail(word, "is no kind that is known");
    const std::string version = fields.text(word);
    all.push_back({kind, version == "no" ? "" : version});
  }
  fields.finish();
  return all;
}

Pod read_pod(const std::string& name, Fields fields) {
  Pod pod;
  pod.name = name;
  pod.namespace_ = fields.text("namespace", pod.namespace_);
  pod.mounts = fields.texts("mounts");
  if (pod.mounts.empty()) fields.fail("mounts", "is missing: which claims?");
  pod.at = fields.duration("at", pod.at);
  if (fields.has("for")) pod.lasts = fields.duration("for", Millis(0));
  fields.finish();
  return pod;
}

// Labels or annotations.
std::map<std::string, std::string> read_marks(Fields& fields, const std::string& key) {
  std::map<std::string, std::string> marks;
  Fields all = fields.fields(key);
  for (const std::string& name : all.keys()) {
    marks[name] = all.text(name);
    const std::string problem = placeholder_problem(marks[name]);
    if (!problem.empty()) all.fail(name, problem);
  }
  return marks;
}

Backup read_backup(const std::string& name, Fields fields, const Scenario& scenario) {
  Backup backup;
  backup.name = name;
  backup.vm = fields.text("vm");
  if (scenario.find_vm(backup.vm) == nullptr) fields.fail("vm", "names no VM of this file");
  backup.at = fields.duration("at", backup.at);
  backup.freeze_deadline = fields.text("freeze-deadline");
  backup.opted_out = fields.yes("opted-out", backup.opted_out);
  fields.finish();
  return backup;
}

Snapshot read_snapshot(const std::string& name, Fields fields) {
  Snapshot snapshot;
  snapshot.name = name;
  snapshot.disk = fields.text("disk");
  snapshot.namespace_ = fields.text("namespace", snapshot.namespace_);
  snapshot.at = fields.duration("at", snapshot.at);
  snapshot.backup = fields.text("backup");
  snapshot.vm = fields.text("vm");
  snapshot.members = fields.text("members");
  snapshot.labels = read_marks(fields, "labels");
  snapshot.annotations = read_marks(fields, "annotations");
  snapshot.by = fields.text("by", snapshot.by);
  snapshot.owner = fields.text("owner");
  snapshot.import = fields.yes("import", snapshot.import);
  snapshot.dry_run = fields.yes("dry-run", snapshot.dry_run);
  fields.finish();
  return snapshot;
}

YAML::Node load(const std::string& text, const std::string& file) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& error) {
    throw FileError(file + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace

const Vm* Scenario::find_vm(const std::string& vm) const {
  const auto found = std::find_if(vms.begin(), vms.end(), [&](const Vm& each) { return each.name == vm; });
  return found == vms.end() ? nullptr : &*found;
}

const Backup* Scenario::find_backup(const std::string& backup) const {
  const auto same = [&](const Backup& each) { return each.name == backup; };
  const auto found = std::find_if(backups.begin(), backups.end(), same);
  return found == backups.end() ? nullptr : &*found;
}

Scenario read_scenario(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw FileError(file + ": cannot be read");
  return parse_scenario(text.str(), file);
}

Scenario parse_scenario(const std::string& text, const std::string& file) {
  Fields fields(file, load(text, file), "scenario");
  Scenario scenario;
  scenario.name = std::filesystem::path(file).stem().string();
  scenario.title = fields.text("title");
  if (scenario.title.empty()) fields.fail("title", "is missing: one line that says what must hold");
  fields.text("about");
  scenario.product = read_product(fields.fields("snapfreeze"));
  fields.named("vms",
               [&](const std::string& name, Fields vm) { scenario.vms.push_back(read_vm(name, std::move(vm))); });
  read_all_storage(fields.fields("storage"), scenario);
  scenario.harvester = read_harvester(fields.fields("harvester"));
  scenario.kubevirt = read_kubevirt(fields.fields("kubevirt"));
  scenario.served = read_served(fields.fields("served"));
  fields.named("pods",
               [&](const std::string& name, Fields pod) { scenario.pods.push_back(read_pod(name, std::move(pod))); });
  scenario.namespaces_opted_out = fields.texts("namespaces-opted-out");
  scenario.users_without_permission = fields.texts("users-without-permission");
  scenario.webhook_called_twice = fields.yes("webhook-called-twice", false);
  scenario.wrong_ca = fields.yes("wrong-ca", false);
  fields.named("backups", [&](const std::string& name, Fields backup) {
    scenario.backups.push_back(read_backup(name, std::move(backup), scenario));
  });
  fields.named("snapshots", [&](const std::string& name, Fields snapshot) {
    scenario.snapshots.push_back(read_snapshot(name, std::move(snapshot)));
  });
  fields.listed("events", [&](Fields event) { scenario.events.push_back(read_event(std::move(event), scenario)); });
  if (fields.has("kill-after-each-call")) {
    scenario.kill_after_each_call = fields.word("kill-after-each-call", {"webhook", "sweeper"}, "");
  }
  if (fields.has("stop-at-each-call")) {
    scenario.stop_at_each_call = fields.word("stop-at-each-call", {"webhook", "sweeper"}, "");
  }
  scenario.expectations = read_expectations(fields.fields("expect"), scenario);
  fields.finish();
  return scenario;
}

}  // namespace runner
