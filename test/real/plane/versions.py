#!/usr/bin/env python3
"""An older and this version side by side, through an upgrade and the way back, with sessions under way.

    test/real/plane/versions.py PLANE OLD BUILD

PLANE is the folder of a control plane that up.sh has started, OLD the sources of the older version with a build in them, BUILD this
one's build. Roles change as Helm changes them: before the pods. Exits with 1 if a verdict is not the expected one, a disk of a
`filesystem` backup was cut outside its freeze, or a guest was thawed by nobody of ours.
"""
import http.client
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "load", "bench"))

from cluster import Process, await_ready  # noqa: E402
import plane as planes  # noqa: E402

TEAM = "versions"
PREFIX = "snapfreeze.harvesterhci.io/"
SNAPSHOTS = f"/apis/snapshot.storage.k8s.io/v1/namespaces/{TEAM}/volumesnapshots"
BACKUPS = f"/apis/harvesterhci.io/v1beta1/namespaces/{TEAM}/virtualmachinebackups"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze-system/leases"
DISKS = 2
TIMER = 45  # seconds
CUT = 12  # seconds, so that processes can be replaced meanwhile
PATIENCE = 60  # seconds for anything to happen


def await_true(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.1)
    raise RuntimeError(f"{what}: not within {seconds} s")


class Plane(planes.Plane):
    def port(self, offset):
        return self._port + offset


class Version:
    def __init__(self, name, program, roles):
        self.name, self.program, self._roles = name, program, roles

    def grant(self, plane):
        """The rights of its chart, instead of another version's."""
        manifest = subprocess.run([self._roles], check=True, stdout=subprocess.PIPE).stdout
        subprocess.run([os.path.join(os.environ["BIN"], "kubectl"), "--kubeconfig", plane.file("admin.kubeconfig"), "apply", "-f", "-"],
                       input=manifest, check=True, stdout=subprocess.DEVNULL)


class Fleet:
    """Two webhooks and two sweepers, each of any version."""

    def __init__(self, plane):
        self._plane = plane
        self._running = {}
        self._started = 0

    def replace(self, name, version):
        """What a rollout does to a pod."""
        self.stop(name)
        part, number = name.split("-")
        status = self._status_port(name)
        options = ["--certificates-from", "elsewhere"] if part == "sweeper" else [
            "--listen", f"127.0.0.1:{self._plane.port(11 + int(number))}", "--tls-cert", self._plane.file("pki/webhook.crt"),
            "--tls-key", self._plane.file("pki/webhook.key"), "--freeze-timeout", f"{TIMER}s"]
        self._started += 1
        process = Process(name, [version.program, part, "--kubeconfig", self._plane.file(f"{name}.kubeconfig"), "--namespace", "snapfreeze-system",
                                 "--identity", f"{name}-{version.name}", "--status-listen", f"127.0.0.1:{status}", *options],
                          self._plane.file(f"{name}-{self._started}-{version.name}.log"))
        self._running[name] = process
        await_ready(process, status)
        # A webhook looks every 2 s whether a sweeper leads.
        time.sleep(2.5 if part == "webhook" else 0)

    def stop(self, name):
        process = self._running.pop(name, None)
        if process and process.stop() != 0:
            raise RuntimeError(f"{name} did not end with 0")

    def leader(self):
        """Its identity, without what makes it unique to a process."""
        return (self._plane.api.call("GET", f"{LEASES}/snapfreeze-sweeper")["spec"].get("holderIdentity") or "").partition("_")[0]

    def replace_sweepers(self, version):
        """The one that leads comes last, so that it is the new version that takes over."""
        leading = self.leader().startswith("sweeper-0")
        for number in ((1, 0) if leading else (0, 1)):
            self.replace(f"sweeper-{number}", version)
        await_true(f"a sweeper of the {version.name} version leads", lambda: self.leader().endswith(version.name))

    def leader_metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._status_port("-".join(self.leader().split("-")[:2])), timeout=5)
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()

    def _status_port(self, name):
        part, number = name.split("-")
        return self._plane.port({"webhook": 13, "sweeper": 15}[part] + int(number))

    def end(self):
        for name in list(self._running):
            self.stop(name)

    def kill(self):
        for process in self._running.values():
            process.kill()


class Stories:
    def __init__(self, plane, fleet, old, new):
        self._plane, self._fleet, self._old, self._new = plane, fleet, old, new
        self.failed = 0
        self._made = 0

    # --- what happens

    def new_vm(self, quick=0):
        """The last `quick` of its disks are cut at once."""
        self._made += 1
        name = f"vm{self._made}"
        self._plane.control("POST", "vms", {"ns": TEAM, "name": name, "disks": DISKS, "running": True, "agent": True})
        for disk in range(DISKS - quick, DISKS):
            self._plane.control("POST", "storage", {"ns": TEAM, "pvc": f"{name}-disk-{disk}", "cut": 100})
        return name

    def back_up(self, vm, name):
        self._plane.api.call("POST", BACKUPS, {
            "apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "metadata": {"name": name},
            "spec": {"type": "backup", "source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": vm}}})

    def snapshot(self, vm, backup, disk):
        """On the label path, where whoever creates them decides when each comes. It is judged by the webhook that runs."""
        self._plane.api.call("POST", SNAPSHOTS, {
            "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
            "metadata": {"name": f"{backup}-{disk}", "labels": {PREFIX + "backup": backup},
                         "annotations": {PREFIX + "vm": vm, PREFIX + "members": str(DISKS)}},
            "spec": {"volumeSnapshotClassName": "longhorn-snapshot", "source": {"persistentVolumeClaimName": f"{vm}-disk-{disk}"}}})

    def await_frozen(self, vm, disks=DISKS):
        """Until it is held for so many disks, the last of which is being cut."""
        await_true(f"{vm} is frozen", lambda: any(i["until_ms"] is None for i in self._intervals(vm)))
        await_true(f"{disks} snapshots of {vm}", lambda: sum(
            s["spec"]["source"]["persistentVolumeClaimName"].startswith(f"{vm}-") for s in self._plane.api.call("GET", SNAPSHOTS)["items"]) == disks)
        time.sleep(1)

    # --- what must hold

    def expect(self, what, vm, path, wanted, thawed_by="sweeper"):
        verdict = await_true(f"the verdict on {path}", lambda: self._verdict(path), TIMER + PATIENCE)
        wrong = [] if verdict in wanted else [f"it is '{verdict}', not '{wanted}'"]
        if verdict == "filesystem" and not self._all_cut_frozen(vm):
            wrong.append("FALSE: a disk was cut outside the freeze")
        thaws = [interval["thawed_by"] for interval in self._intervals(vm)]
        if not thaws or not thaws[-1].startswith(thawed_by):
            wrong.append(f"thawed by {thaws}")
        await_true(f"no session of {vm}", lambda: self.lease(vm) is None or self._phase(vm) == "Resting")
        self.failed += bool(wrong)
        print(f"versions: {what}: {'; '.join(wrong) or verdict} ({time.strftime('%T')})", flush=True)

    def lease(self, vm):
        try:
            return self._plane.api.call("GET", f"{LEASES}/{TEAM}.{vm}")
        except RuntimeError:
            return None

    def note(self, vm, name):
        return ((self.lease(vm) or {}).get("metadata", {}).get("annotations") or {}).get(PREFIX + name)

    def _set_format(self, vm, number):
        self._plane.api.call("PATCH", f"{LEASES}/{TEAM}.{vm}", {"metadata": {"annotations": {PREFIX + "format": number}}},
                             "application/merge-patch+json")

    def _phase(self, vm):
        return self.note(vm, "phase")

    def _verdict(self, path):
        notes = self._plane.api.call("GET", path)["metadata"].get("annotations", {})
        return f"{notes.get(PREFIX + 'consistency', '')} {notes.get(PREFIX + 'reason', '')}".strip()

    def _intervals(self, vm):
        return self._plane.control("GET", "guests").get(f"{TEAM}/{vm}", {"intervals": []})["intervals"]

    def _all_cut_frozen(self, vm):
        last = [i for i in self._intervals(vm) if i["until_ms"]][-1]
        cuts = [e["ms"] for e in self._plane.control("GET", "timeline") if e["kind"] == "cut" and e["detail"] == f"{TEAM}/{vm}"]
        return sum(last["from_ms"] <= cut <= last["until_ms"] for cut in cuts) == len(cuts) == DISKS

    # --- the stories

    def upgrade(self):
        whole, parts = self.new_vm(), self.new_vm(1)
        self.back_up(whole, "up")
        self.snapshot(parts, "up-parts", 0)
        self.await_frozen(whole)
        self.await_frozen(parts, 1)
        assert self.note(whole, "format") is None, "the old version is to know of no format"
        self._new.grant(self._plane)
        self._fleet.replace_sweepers(self._new)
        self._fleet.stop("webhook-1")
        self._fleet.replace("webhook-0", self._new)
        self.snapshot(parts, "up-parts", 1)
        self.expect("a backup that the old version began and the new one ends", whole, f"{BACKUPS}/up", ["filesystem"])
        self.expect("a backup that an old webhook begins and a new one joins", parts, f"{SNAPSHOTS}/up-parts-1", ["filesystem"])

    def old_webhook_new_sweeper(self):
        vm = self.new_vm()
        self._fleet.stop("webhook-0")
        self._fleet.replace("webhook-1", self._old)
        self.back_up(vm, "old-webhook")
        self.expect("a backup with an old webhook and a new sweeper", vm, f"{BACKUPS}/old-webhook", ["filesystem"])

    def new_alone(self):
        vm = self.new_vm()
        for number in (0, 1):
            self._fleet.replace(f"webhook-{number}", self._new)
        self.back_up(vm, "new")
        self.expect("a backup with the new version alone", vm, f"{BACKUPS}/new", ["filesystem"])

    def newer_format(self):
        """A Lease of a version that comes after this one."""
        vm = self.new_vm()
        self.back_up(vm, "newer")
        self.await_frozen(vm)
        self._set_format(vm, "2")
        written = self.lease(vm)["metadata"]["resourceVersion"]
        self.back_up(vm, "beside-newer")
        await_true(f"KubeVirt's timer thaws {vm}", lambda: self._intervals(vm)[-1]["until_ms"], TIMER + 10)
        self._fleet.replace_sweepers(self._new)
        time.sleep(5)
        wrong = []
        if (by := self._intervals(vm)[-1]["thawed_by"]) != "timer":
            wrong.append(f"thawed by {by}")
        if self.lease(vm)["metadata"]["resourceVersion"] != written:
            wrong.append("its Lease was written")
        if self._verdict(f"{BACKUPS}/newer"):
            wrong.append("it was judged")
        if 'snapfreeze_sessions{phase="NewerFormat"} 1' not in self._fleet.leader_metrics():
            wrong.append("the leader does not tell of it")
        self.failed += bool(wrong)
        print(f"versions: a session of a newer format: {'; '.join(wrong) or 'left alone, and told of'} ({time.strftime('%T')})", flush=True)
        self._set_format(vm, "1")
        self.expect("another backup of that VM", vm, f"{BACKUPS}/beside-newer", ["crash newer-format"], "timer")

    def way_back(self):
        whole, parts = self.new_vm(), self.new_vm(1)
        self.back_up(whole, "back")
        self.snapshot(parts, "back-parts", 0)
        self.await_frozen(whole)
        self.await_frozen(parts, 1)
        assert self.note(whole, "format") == "1" and self._phase(whole) == "Armed", f"it is {self._phase(whole)}"
        self._old.grant(self._plane)
        self._fleet.replace_sweepers(self._old)
        self._fleet.stop("webhook-1")
        self._fleet.replace("webhook-0", self._old)
        self.snapshot(parts, "back-parts", 1)
        # `Armed` came after the old version, which thaws what it cannot read.
        self.expect("a backup that was armed when the old version came back", whole, f"{BACKUPS}/back", ["filesystem", "crash record-damaged"])
        self.expect("a backup that a new webhook begins and an old one joins", parts, f"{SNAPSHOTS}/back-parts-1", ["filesystem"])

    def new_webhook_old_sweeper(self):
        vm = self.new_vm()
        self._fleet.stop("webhook-0")
        self._fleet.replace("webhook-1", self._new)
        self.back_up(vm, "old-sweeper")
        self.expect("a backup with a new webhook and an old sweeper", vm, f"{BACKUPS}/old-sweeper", ["filesystem"])


def run(plane, old, new):
    plane.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": TEAM}})
    plane.control("POST", "storage", {"cut": CUT * 1000})
    with open(plane.file("registration.json"), "rb") as file:
        plane.api.call("POST", planes.REGISTRATIONS, file.read())
    fleet = Fleet(plane)
    stories = Stories(plane, fleet, old, new)
    try:
        old.grant(plane)
        for name in ("sweeper-0", "sweeper-1", "webhook-0", "webhook-1"):
            fleet.replace(name, old)
        for story in (stories.upgrade, stories.old_webhook_new_sweeper, stories.new_alone, stories.newer_format, stories.way_back,
                      stories.new_webhook_old_sweeper):
            story()
        fleet.end()
    finally:
        fleet.kill()
    return stories.failed == 0


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, before, build = (os.path.abspath(path) for path in sys.argv[1:])
    old = Version("old", f"{before}/build/release/snapfreeze", f"{before}/test/real/plane/rbac.sh")
    new = Version("new", f"{build}/snapfreeze", os.path.join(HERE, "rbac.sh"))
    with Plane(build, folder) as plane:
        sys.exit(0 if run(plane, old, new) else 1)


if __name__ == "__main__":
    main()
