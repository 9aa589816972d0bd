#!/usr/bin/env python3
"""How long guests on a Longhorn up to 1.11 stay frozen after their last disk is cut, with and without its live answer.

    test/load/bench/longhorn.py [BUILD] [--rounds 10] [--most MS]

BUILD is the folder of the binaries (default: build/release). The webhook, the sweeper and the sandbox are the real
processes, over TLS on loopback; the sandbox's Longhorn answers as the real one does. Linux guests are cut after 300 ms,
Windows guests after 1 s. Prints a table in Markdown of what was measured in this run. Fails if a backup has no verdict,
or, with --most, if with the live answer the median of a row is higher, or not every backup is filesystem.
"""
import argparse
import os
import statistics
import sys
import tempfile
import time

from cluster import Cluster

PREFIX = "snapfreeze.harvesterhci.io/"
BACKUPS = "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups"
CUT = {"linux": 300, "windows": 1000}
DISKS = (1, 3, 8)
APART = 1.3  # seconds between two backups: one is held at a time, as all share the ceiling of the calls
PATIENCE = 60


class OnLonghorn(Cluster):
    def __init__(self, build, directory, live):
        super().__init__(build, directory)
        self._live = live

    def sweeper_options(self):
        if not self._live:
            return []
        with open(self.file("longhorn.url"), encoding="utf-8") as file:
            return ["--longhorn-url", file.read()]

    def begin(self, name, vm):
        self.api.call("POST", BACKUPS, {
            "apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "metadata": {"name": name, "namespace": "vms"},
            "spec": {"type": "backup", "source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": vm}}})

    def verdict(self, name):
        notes = self.api.call("GET", f"{BACKUPS}/{name}")["metadata"].get("annotations", {})
        said = notes.get(PREFIX + "consistency", "")
        return f"{said} ({notes[PREFIX + 'reason']})" if PREFIX + "reason" in notes else said


def over_cut(cluster, vm, disks):
    """Milliseconds from the last cut to the thaw; None when the guest was thawed before."""
    cuts = [e["ms"] for e in cluster.control("GET", "timeline") if e["kind"] == "cut" and e["detail"] == vm]
    held = [i for i in cluster.control("GET", "guests")[vm]["intervals"] if i["frozen_by"].startswith("webhook")]
    if len(cuts) != disks or len(held) != 1 or held[0]["until_ms"] is None:
        raise RuntimeError(f"{vm}: {len(cuts)} cuts, frozen {held}")
    over = held[0]["until_ms"] - max(cuts)
    return over if over >= 0 else None


def row(cluster, guest, disks, rounds):
    """Of each backup, what it was frozen over its cut, and its verdict."""
    cluster.control("POST", "storage", {"style": "old-longhorn", "cut": CUT[guest]})
    names = [f"{guest}-{disks}-{i}" for i in range(rounds)]
    for name in names:
        cluster.control("POST", "vms", {"ns": "vms", "name": name, "disks": disks, "windows": guest == "windows"})
    for name in names:
        cluster.begin(name, name)
        time.sleep(APART)
    verdicts = {}
    end = time.monotonic() + PATIENCE
    while len(verdicts) < rounds and time.monotonic() < end:
        time.sleep(1)
        verdicts = {name: cluster.verdict(name) for name in names if cluster.verdict(name)}
    if len(verdicts) < rounds:
        sys.exit(f"longhorn.py: no verdict of {sorted(set(names) - set(verdicts))}")
    return [over_cut(cluster, "vms/" + name, disks) for name in names], list(verdicts.values())


def measure(build, live, rounds):
    with tempfile.TemporaryDirectory(prefix="snapfreeze-bench-") as directory:
        with OnLonghorn(build, directory, live) as cluster:
            cluster.register_webhook()
            time.sleep(3)  # webhooks look for a sweeper every 2 s
            return {(guest, disks): row(cluster, guest, disks, rounds) for guest in CUT for disks in DISKS}


def cell(overs):
    held = [over for over in overs if over is not None]
    early = len(overs) - len(held)
    text = f"{statistics.median(held):,.0f} ms, at most {max(held):,.0f} ms" if held else ""
    return text + (f"; {early} thawed before" if early else "")


def share(verdicts):
    good = verdicts.count("filesystem")
    others = sorted(set(verdicts) - {"filesystem"})
    return f"{good} of {len(verdicts)}" + (f" ({', '.join(others)})" if others else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--rounds", type=int, default=10, help="backups for each row")
    parser.add_argument("--most", type=float, help="milliseconds over the cut that the live answer may take in the median")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    without = measure(build, False, options.rounds)
    with_live = measure(build, True, options.rounds)
    print("| guest | disks | cut | frozen over the cut, by its records | `filesystem` | by its live answer | `filesystem` |")
    print("|---|---|---|---|---|---|---|")
    failed = False
    for (guest, disks), (overs, verdicts) in without.items():
        live_overs, live_verdicts = with_live[guest, disks]
        print(f"| {guest.capitalize()} | {disks} | {CUT[guest]} ms | {cell(overs)} | {share(verdicts)} | {cell(live_overs)} | {share(live_verdicts)} |")
        good = None not in live_overs and set(live_verdicts) == {"filesystem"}
        failed |= options.most is not None and (not good or statistics.median(live_overs) > options.most)
    if failed:
        sys.exit("longhorn.py: the live answer took longer, or proved less, than it may")


if __name__ == "__main__":
    main()
