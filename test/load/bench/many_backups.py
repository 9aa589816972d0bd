#!/usr/bin/env python3
"""The sweeper's memory when many backups end at once in a namespace that is full of finished ones.

    test/load/bench/many_backups.py [BUILD] [--finished 4000] [--kilobytes 11] [--at-once 16] [--limit 64]

BUILD is the folder of the binaries (default: build/release). The sweeper and the sandbox are the real processes, over
TLS on loopback. Prints the measurements. Fails if the sweeper's resident memory went above the limit (in MiB), or if a
verdict is not filesystem.
"""
import argparse
import json
import tempfile
import time

from cluster import Cluster, await_ready

PREFIX = "snapfreeze.harvesterhci.io/"
BACKUPS = "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups"


def finished_backup(number, kilobytes):
    """As Harvester leaves it: the spec of its VM is copied into the status."""
    name = f"old-{number}"
    padding = "x" * 1000
    volumes = [{"name": f"{name}-volume-disk-0", "readyToUse": True, "creationTime": "2026-01-01T00:00:00Z"}]
    return {"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup",
            "metadata": {"name": name, "namespace": "vms", "labels": {PREFIX + "consistency": "filesystem"},
                         "annotations": {PREFIX + "consistency": "filesystem"}},
            "spec": {"type": "backup", "source": {"kind": "VirtualMachine", "name": f"vm-{number % 16}"}},
            "status": {"readyToUse": True, "volumeBackups": volumes,
                       "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
                       "sourceSpec": {"spec": {f"field-{i}": padding for i in range(kilobytes - 1)}}}}


def resident_high_water(pid):
    """The kernel's own, which misses nothing: MiB since the process began."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def reset_high_water(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def verdicts(cluster, count):
    found = {}
    for i in range(count):
        notes = cluster.api.call("GET", f"{BACKUPS}/new-{i}")["metadata"].get("annotations", {})
        if PREFIX + "consistency" in notes:
            found[i] = (notes[PREFIX + "consistency"] + " " + notes.get(PREFIX + "reason", "")).strip()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--finished", type=int, default=4000)
    parser.add_argument("--kilobytes", type=int, default=11)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--limit", type=float, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, Cluster(options.build, directory) as cluster:
        cluster.register_webhook()
        for i in range(options.at_once):
            cluster.control("POST", "vms", {"ns": "vms", "name": f"vm-{i}", "disks": 1})
        print(f"sweeper ready: {resident_high_water(cluster.sweeper.pid):.1f} MiB at most", flush=True)
        for i in range(options.finished):
            cluster.api.call("POST", BACKUPS, finished_backup(i, options.kilobytes))
        time.sleep(3)
        before = resident_high_water(cluster.sweeper.pid)
        print(f"{options.finished} finished backups of {options.kilobytes} KB: {before:.1f} MiB at most", flush=True)
        reset_high_water(cluster.sweeper.pid)
        begun = time.perf_counter()
        for i in range(options.at_once):
            cluster.api.call("POST", BACKUPS, {
                "apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup",
                "metadata": {"name": f"new-{i}", "namespace": "vms"},
                "spec": {"type": "backup", "source": {"kind": "VirtualMachine", "name": f"vm-{i}"}}})
        while len(found := verdicts(cluster, options.at_once)) < options.at_once:
            if time.perf_counter() - begun > 120:
                break
            time.sleep(0.5)
        peak = resident_high_water(cluster.sweeper.pid)
        print(f"{options.at_once} backups at once: {len(found)} verdicts after {time.perf_counter() - begun:.1f} s, "
              f"{peak:.1f} MiB at most: {json.dumps(sorted(set(found.values())))}", flush=True)
        another, status = cluster.start_part("sweeper", ["--certificates-from", "elsewhere"], name="sweeper-1")
        await_ready(another, status)
        listed = resident_high_water(another.pid)
        print(f"a sweeper that starts now, and lists them all: {listed:.1f} MiB at most", flush=True)
        good = len(found) == options.at_once and set(found.values()) == {"filesystem"} and max(before, peak, listed) <= options.limit
        raise SystemExit(0 if good else f"many_backups: more than {options.limit} MiB, or not all are filesystem")


if __name__ == "__main__":
    main()
