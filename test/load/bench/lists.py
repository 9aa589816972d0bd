#!/usr/bin/env python3
"""The memory that a webhook needs for many labelled snapshots at once, when their VM must be found among many large guests.

    test/load/bench/lists.py [BUILD] [--snapshots N] [--vms N] [--size BYTES] [--bound MIB]

BUILD is the folder of the binaries (default: build/release). First the requests come from a user who may freeze nothing,
then from one who may freeze every VM, and then from one who names the VM. Exits with 1 if the webhook's peak (VmHWM) was
above the bound, if guests were listed for a user who may freeze none, or if an admission was refused.
"""
import argparse
import collections
import re
import ssl
import sys
import tempfile
import threading
import time

from cluster import Cluster

PREFIX = "snapfreeze.harvesterhci.io/"
SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots"
VMIS = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances"


def peak(process):
    """MiB resident at most, ever."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"^VmHWM:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) / 1024


def add_vms(cluster, count, size):
    """One real guest, and others beside it of `size` bytes each, as those with many conditions and long scripts are."""
    cluster.control("POST", "vms", {"ns": "vms", "name": "db", "disks": 1, "freeze_latency": 0, "thaw_latency": 0})
    script = "#cloud-config\n" + "x" * 1000
    for i in range(count - 1):
        volumes = [{"name": "root", "persistentVolumeClaim": {"claimName": f"vm{i}-disk"}}]
        while len(volumes) * 1100 < size:
            volumes.append({"name": f"v{len(volumes)}", "cloudInitNoCloud": {"userData": script}})
        cluster.api.call("POST", VMIS, {
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": f"vm{i}", "namespace": "vms"},
            "spec": {"domain": {}, "volumes": volumes}, "status": {"phase": "Running"}})


def create(cluster, prefix, count, at_once, annotations):
    """Reasons of the snapshots that were created, by how often."""
    names = iter([f"{prefix}-{i}" for i in range(count)])
    lock, found = threading.Lock(), collections.Counter()

    def work():
        client = cluster.new_client()
        while True:
            with lock:
                name = next(names, None)
            if name is None:
                return client.close()
            made = client.call("POST", SNAPSHOTS, {
                "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
                "metadata": {"name": name, "namespace": "vms", "labels": {PREFIX + "backup": prefix}, "annotations": annotations},
                "spec": {"source": {"persistentVolumeClaimName": "db-disk-0"}, "volumeSnapshotClassName": "any"}})
            marks = made["metadata"].get("annotations", {})
            with lock:
                found[marks.get(PREFIX + "reason", "frozen" if PREFIX + "epoch" in made["metadata"]["labels"] else "unseen")] += 1

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return dict(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--snapshots", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=60)
    parser.add_argument("--vms", type=int, default=1000)
    parser.add_argument("--size", type=int, default=20000)
    parser.add_argument("--bound", type=float, default=48)
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as directory, Cluster(arguments.build, directory) as cluster:
        cluster.register_webhook()
        add_vms(cluster, arguments.vms, arguments.size)
        time.sleep(3)  # a sweeper leads, and the webhook knows
        print(f"at rest {peak(cluster.webhook):.1f} MiB", flush=True)
        rounds = [("may freeze nothing", True, {}), ("may freeze each", False, {}), ("names the VM", False, {PREFIX + "vm": "db"})]
        for number, (what, denied, annotations) in enumerate(rounds):
            cluster.control("DELETE", "access")
            if denied:
                cluster.control("POST", "access", {"user": "admin", "resource": "virtualmachineinstances/freeze"})
            begun = time.perf_counter()
            found = create(cluster, f"round{number}", arguments.snapshots, arguments.at_once, annotations)
            highest = peak(cluster.webhook)
            print(f"{what:20} {time.perf_counter() - begun:6.1f} s  peak {highest:5.1f} MiB  {found}", flush=True)
            failed = failed or highest > arguments.bound or (denied and set(found) != {"not-permitted"})
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
