#!/usr/bin/env python3
"""Measures snapfreeze on a real control plane, side by side with another program that does the same job.

    test/load/bench/race.py PLANE BUILD [--peer PROGRAM] [--rounds N] [--backups N] [--admissions N] [--svg FILE]

PLANE is the folder of a control plane that test/real/plane/up.sh has started, BUILD that of snapfreeze's binaries. PROGRAM
has the modes `webhook` and `sweeper`; products.py says what else is expected of it. The programs take turns, so that both
meet the same moods of a shared machine. Prints what it measured in this run, as medians, their spread over the rounds, and
ratios. It asserts nothing.
"""
import argparse
import base64
import os
import statistics
import sys
import time

from bench import FEW, percentile, review
from plane import Plane
from products import Peer, Snapfreeze
from svg import bars

NAMESPACE = "race"
HARVESTER = f"/apis/harvesterhci.io/v1beta1/namespaces/{NAMESPACE}/virtualmachinebackups"
SNAPSHOTS = f"/apis/snapshot.storage.k8s.io/v1/namespaces/{NAMESPACE}/volumesnapshots"
MERGE = "application/merge-patch+json"
PATIENCE = 20  # seconds


class Course(Plane):
    """The plane, with the rig's clock and what the rig wrote down by it."""

    def __enter__(self):
        super().__enter__()
        self._offset = min((self._reading() for _ in range(200)), key=lambda reading: reading[0])[1]
        return self

    def _reading(self):
        begun = time.monotonic()
        ms = self.control("GET", "now")["ms"]
        ended = time.monotonic()
        return ended - begun, ms - (begun + ended) * 500

    def rig_ms(self, monotonic):
        """Our clock's time by the rig's, in milliseconds."""
        return monotonic * 1000 + self._offset

    def events(self, vm):
        """What happened to a guest and its disks, in order, in milliseconds."""
        mine = f"{NAMESPACE}/{vm}"
        return [e for e in self.control("GET", "timeline") if mine in e["object"] or e["detail"] == mine]

    def register_product(self, product):
        with open(self.file("pki/ca.crt"), "rb") as file:
            bundle = base64.b64encode(file.read()).decode()
        self.register({"url": f"https://127.0.0.1:{product.webhook_port}/mutate", "caBundle": bundle}, product.match_conditions)
        time.sleep(1.5)  # until the API server has it


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    sys.exit(f"race: {what} did not come in {PATIENCE} s")


class Round:
    """One product's turn."""

    def __init__(self, plane, product, name):
        self.plane, self.product, self.name = plane, product, name
        self.rows = {}

    def add_vm(self, vm, disks=1):
        self.plane.control("POST", "vms", {"ns": NAMESPACE, "name": vm, "disks": disks, "running": True, "agent": True})

    def begin_backup(self, vm):
        """Until all its snapshots are admitted; their names. With its default of 1 s, Harvester's own timer would thaw first."""
        api = self.plane.api
        api.call("POST", HARVESTER, {"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup",
                                     "metadata": {"name": vm, "namespace": NAMESPACE},
                                     "spec": {"type": "backup", "fsFreezeDeadline": "30s", "source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": vm}}})

        def admitted():
            listed = api.call("GET", f"{HARVESTER}/{vm}").get("status", {}).get("volumeBackups", [])
            there = {s["metadata"]["name"] for s in api.call("GET", SNAPSHOTS)["items"]}
            names = [v["name"] for v in listed]
            return names if names and set(names) <= there else None

        return wait_for(f"the snapshots of {vm}", admitted)

    def thaws(self, count):
        """A capture is written by us, so that both see the same object change: until the guest's thaw."""
        self.plane.control("POST", "storage", {"never": True})
        from_write, from_reply = [], []
        for i in range(count):
            vm = f"{self.name}-{i}"
            self.add_vm(vm)
            name = self.begin_backup(vm)[0]
            time.sleep(0.15)  # what follows the admission is over
            begun = time.monotonic()
            self.plane.api.call("PATCH", f"{SNAPSHOTS}/{name}/status", {"status": {"creationTime": "2026-01-01T00:00:00Z"}}, MERGE)
            replied = time.monotonic()
            time.sleep(0.15)

            def thawed():
                after = [e["ms"] for e in self.plane.events(vm) if e["kind"] == "thaw" and e["ms"] >= self.plane.rig_ms(begun)
                         and e["detail"] != "timer"]
                return after[:1]

            at = wait_for(f"the thaw of {vm}", thawed)[0]
            from_write.append(at - self.plane.rig_ms(begun))
            from_reply.append(at - self.plane.rig_ms(replied))
        self.rows["capture written -> unfreeze call, p50 ms"] = statistics.median(from_write)
        self.rows["capture written -> unfreeze call, p90 ms"] = percentile(from_write, 0.9)
        self.rows["  of it after the reply to the write, p50 ms"] = statistics.median(from_reply)

    def chains(self, count, disks):
        """Whole backups on the real chain: snapshot controller, sidecar, driver."""
        self.plane.control("POST", "storage", {"cut": 50})
        frozen, parts = [], []
        for i in range(count):
            vm = f"{self.name}-chain-{i}"
            self.add_vm(vm, disks)
            self.begin_backup(vm)
            time.sleep(0.3)

            def whole():
                events = self.plane.events(vm)
                cuts = [e["ms"] for e in events if e["kind"] == "cut"]
                ends = [e["ms"] for e in events if e["kind"] == "thaw" and len(cuts) == disks and e["ms"] > max(cuts)
                        and e["detail"] != "timer"]
                froze = [e["ms"] for e in events if e["kind"] == "freeze" and e["ms"] < min(cuts, default=0)]
                return (events[0]["ms"], froze[-1], cuts, ends[0]) if ends and froze else None

            start, froze, cuts, end = wait_for(f"the end of {vm}", whole)
            frozen.append(end - max(cuts))
            parts.append((froze - start, min(cuts) - froze, max(cuts) - min(cuts), end - max(cuts)))
            # One that is unfinished could freeze the guest again.
            self.plane.api.call("DELETE", f"{HARVESTER}/{vm}")
        self.rows[f"last of {disks} cuts -> thaw on the real chain, p50 ms"] = statistics.median(frozen)
        return [statistics.median(column) for column in zip(*parts)]

    def admissions(self, count):
        """Straight to the webhook, on one kept connection."""
        client = self.plane.client_of(self.product.webhook_port)
        self.plane.control("POST", "storage", {"never": True})
        vm = f"{self.name}-join"
        self.add_vm(vm)
        foreign = self.timed(client, [review(None, f"{self.name}-{i}") for i in range(count)])
        self.rows["admission of a foreign snapshot, p50 ms"], self.rows["  CPU seconds a 1,000"] = foreign
        self.begin_backup(vm)
        backup = self.plane.api.call("GET", f"{HARVESTER}/{vm}")
        names = [f"{vm}-more-{i}" for i in range(FEW)]
        listed = backup["status"]["volumeBackups"] + [{"name": n, "readyToUse": False} for n in names]
        self.plane.api.call("PATCH", f"{HARVESTER}/{vm}", {"status": {"volumeBackups": listed}}, MERGE)
        owner = {"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "name": vm,
                 "uid": backup["metadata"]["uid"], "controller": True}
        reviews = [review(owner, n, vm).replace(b'"namespace": "vms"', f'"namespace": "{NAMESPACE}"'.encode()) for n in names]
        reviews = [reviews[i % FEW] for i in range(count)]
        joining = self.timed(client, reviews, patched=True)
        self.rows["admission of a joining snapshot, p50 ms"], self.rows["  CPU seconds a 1,000 "] = joining
        client.close()
        self.plane.api.call("DELETE", f"{HARVESTER}/{vm}")

    def timed(self, client, reviews, patched=False):
        before, times = self.product.cpu_seconds("webhook"), []
        for body in reviews:
            begun = time.perf_counter()
            reply = client.call("POST", "/mutate?timeout=10s", body)
            times.append((time.perf_counter() - begun) * 1000)
            if not reply["response"]["allowed"] or ("patch" in reply["response"]) != patched:
                sys.exit(f"race: {self.product.name}: not the admission that was to be measured: {reply}")
        return statistics.median(times), (self.product.cpu_seconds("webhook") - before) * 1000 / len(reviews)

    def run(self, backups, admissions):
        self.product.start(self.plane)
        try:
            for part, seconds in self.product.ready.items():
                self.rows[f"exec to ready, {part}, ms"] = seconds * 1000
            self.plane.register_product(self.product)
            time.sleep(3)
            self.memory("idle")
            self.thaws(backups)
            parts = self.chains(max(3, backups // 4), 3)
            self.admissions(admissions)
            self.memory("afterwards")
            return parts
        finally:
            self.plane.unregister()
            self.product.stop()
            self.plane.control("POST", "end", {})

    def memory(self, when):
        for part in ("webhook", "sweeper"):
            self.rows[f"resident, {when}, {part}, MiB"] = self.product.memory(part)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("plane")
    parser.add_argument("build")
    parser.add_argument("--peer", help="the other program")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--backups", type=int, default=30, help="a round")
    parser.add_argument("--admissions", type=int, default=1000, help="a round, of each kind")
    parser.add_argument("--svg", help="a picture of where a backup's time goes")
    options = parser.parse_args()
    products = [Snapfreeze(options.build)] + ([Peer(options.peer)] if options.peer else [])
    rows, parts = {p.name: [] for p in products}, {p.name: [] for p in products}
    with Course(options.build, os.path.abspath(options.plane)) as plane:
        for number in range(options.rounds):
            for product in products[:: 1 if number % 2 == 0 else -1]:
                print(f"race: round {number + 1} of {options.rounds}, {product.name} ({time.strftime('%T')})", flush=True)
                turn = Round(plane, product, f"{product.name[0]}{os.getpid()}-{number}")
                parts[product.name].append(turn.run(options.backups, options.admissions))
                rows[product.name].append({"size of the program, MiB": product.size(), **turn.rows})
    table(products, rows)
    if options.svg:
        names = ["before the freeze", "until the first cut", "cuts", "last cut to thaw"]
        with open(options.svg, "w", encoding="utf-8") as file:
            file.write(bars("A backup of three disks", "ms", names, {
                name: [statistics.median(column) for column in zip(*found)] for name, found in parts.items()}))


def table(products, rows):
    print(f"{'':55}" + "".join(f"{p.name:>26}" for p in products) + f"{'ratio':>8}")
    for what in rows[products[0].name][0]:
        line, medians = f"{what:55}", []
        for product in products:
            values = [row[what] for row in rows[product.name]]
            medians.append(statistics.median(values))
            line += f"{medians[-1]:9.2f} ({min(values):6.2f}-{max(values):7.2f})"
        print(line + (f"{medians[0] / medians[1]:8.2f}" if len(medians) > 1 and medians[1] else ""))


if __name__ == "__main__":
    main()
