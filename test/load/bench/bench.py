#!/usr/bin/env python3
"""Benchmarks of snapfreeze against the sandbox, over TLS on loopback.

    test/load/bench/bench.py [BUILD] [--quick]

BUILD is the folder of the binaries (default: build/release). It prints what it measured in this run and asserts nothing:
the machine may be shared. Times include the Python client, some 0.2 ms for each call.
"""
import argparse
import json
import math
import os
import statistics
import tempfile
import time

from cluster import Cluster

PREFIX = "snapfreeze.harvesterhci.io/"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/snapfreeze-system/leases"
SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/namespaces/vms/volumesnapshots"
CONTENTS = "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents"
FREEZE = "/apis/subresources.kubevirt.io/v1/namespaces/vms/virtualmachineinstances/{}/freeze"
VMIS = "/apis/kubevirt.io/v1/namespaces/vms/virtualmachineinstances"
FEW = 8  # disks, so many as a VM may have
BACKUPS = "/apis/harvesterhci.io/v1beta1/namespaces/vms/virtualmachinebackups"


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def line(what, values, unit="ms"):
    print(f"{what:58} n={len(values):5}  p50 {statistics.median(values):7.2f}  p99 {percentile(values, 0.99):7.2f} {unit}",
          flush=True)


def add_vm(cluster, name, disks=1):
    cluster.control("POST", "vms", {"ns": "vms", "name": name, "disks": disks, "freeze_latency": 0, "thaw_latency": 0})
    return cluster.api.call("GET", f"{VMIS}/{name}")["metadata"]["uid"]


def open_session(cluster, vm, hold):
    """A session as the webhook would have left it, Frozen, and its guest."""
    vmi = add_vm(cluster, vm, disks=hold.get("members", 1))
    cluster.api.call("PUT", FREEZE.format(vm), {"unfreezeTimeout": "600s"})
    return cluster.api.call("POST", LEASES, {
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "vms." + vm, "namespace": "snapfreeze-system", "labels": {PREFIX + "session": "true"},
                     "annotations": {PREFIX + "namespace": "vms", PREFIX + "vm": vm, PREFIX + "vmi-uid": vmi,
                                     PREFIX + "phase": "Frozen", PREFIX + "holds": json.dumps([hold]),
                                     PREFIX + "claims": json.dumps([f"{vm}-disk-0"]), PREFIX + "intent": '{"call":"none","by":""}'}},
        "spec": {"holderIdentity": "bench", "leaseDurationSeconds": 600}})["metadata"]["uid"]


def snapshot(cluster, vm, epoch):
    cluster.api.call("POST", SNAPSHOTS, {
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
        "metadata": {"name": vm + "-snapshot", "namespace": "vms",
                     "labels": {PREFIX + "epoch": epoch, PREFIX + "backup": vm}, "annotations": {PREFIX + "vm": vm}},
        "spec": {"source": {"persistentVolumeClaimName": vm + "-disk-0"}, "volumeSnapshotClassName": "any"}})


def set_disk(cluster, vm=None, **options):
    where = {"ns": "vms", "pvc": vm + "-disk-0"} if vm else {}
    cluster.control("POST", "storage", {"driver_answer": 0, **options, **where})


def bench_thaw(cluster, sessions, measured):
    """From the storage's word that a disk is cut to the unfreeze call, with many other sessions open.

    A disk is cut every 20 ms: 1,000 sessions that end within 20 s. Faster, two cores are busy with the double.
    """
    set_disk(cluster, never=True)
    for i in range(sessions - 1):
        vm = f"open{sessions}-{i}"
        snapshot(cluster, vm, open_session(cluster, vm, {"kind": "Label", "name": vm, "members": 1}))
    set_disk(cluster, cut=30)
    vms = [f"thaw{sessions}-{i}" for i in range(measured)]
    for vm in vms:
        begun = time.monotonic()
        snapshot(cluster, vm, open_session(cluster, vm, {"kind": "Label", "name": vm, "members": 1}))
        time.sleep(max(0, begun + 0.02 - time.monotonic()))
    time.sleep(1)
    calls, cuts = cluster.unfreezes()
    latencies = [calls["vms/" + vm] - cuts["vms/" + vm] for vm in vms if "vms/" + vm in calls]
    if len(latencies) < measured:
        print(f"  {measured - len(latencies)} of {measured} guests were not thawed", flush=True)
    line(f"capture to unfreeze call, {sessions} open sessions", latencies)


def review(owner, name, vm="any"):
    metadata = {"name": name, "namespace": "vms"}
    if owner:
        metadata["ownerReferences"] = [owner]
    return json.dumps({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {"uid": name, "kind": {"group": "snapshot.storage.k8s.io", "version": "v1", "kind": "VolumeSnapshot"},
                    "resource": {"group": "snapshot.storage.k8s.io", "version": "v1", "resource": "volumesnapshots"},
                    "name": name, "namespace": "vms", "operation": "CREATE", "userInfo": {"username": "admin"},
                    "object": {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": metadata,
                               "spec": {"source": {"persistentVolumeClaimName": vm + "-disk-0"}}},
                    "oldObject": None, "dryRun": False}}).encode()


def add_backup(cluster, name, vm, disks):
    """A backup whose snapshots are listed and not created: the VM it names is made afterwards, so Harvester gives up."""
    made = cluster.api.call("POST", BACKUPS, {
        "apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "metadata": {"name": name, "namespace": "vms"},
        "spec": {"type": "backup", "source": {"kind": "VirtualMachine", "name": vm}}})
    for _ in range(200):
        if "error" in cluster.api.call("GET", f"{BACKUPS}/{name}").get("status", {}):
            break
        time.sleep(0.01)
    names = [f"{name}-{i}" for i in range(disks)]
    cluster.api.call("PATCH", f"{BACKUPS}/{name}", {"status": {"volumeBackups": [{"name": n} for n in names]}},
                     "application/merge-patch+json")
    owner = {"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "name": name,
             "uid": made["metadata"]["uid"], "controller": True}
    return owner, names


def timed(client, body, expected):
    begin = time.perf_counter()
    reply = client.call("POST", "/mutate?timeout=10s", body)
    took = (time.perf_counter() - begin) * 1000
    patched = "patch" in reply["response"]
    if patched != expected:
        raise RuntimeError(f"not the admission that was to be measured: {reply}")
    return took


def bench_admission(cluster, count):
    client = cluster.webhook_client()
    before = cluster.webhook.cpu_seconds()
    line("admission of a foreign snapshot", [timed(client, review(None, f"f{i}"), False) for i in range(count)])
    print(f"{'  CPU seconds per 1,000':58} {(cluster.webhook.cpu_seconds() - before) / count * 1000:.2f}", flush=True)

    owner, names = add_backup(cluster, "joined", "joined", FEW)
    open_session(cluster, "joined", {"kind": "VirtualMachineBackup", "name": "joined", "uid": owner["uid"]})
    before = cluster.webhook.cpu_seconds()
    line("admission of a joining snapshot",
         [timed(client, review(owner, names[i % FEW], "joined"), True) for i in range(count)])
    print(f"{'  CPU seconds per 1,000':58} {(cluster.webhook.cpu_seconds() - before) / count * 1000:.2f}", flush=True)

    times = []
    for i in range(max(10, count // 20)):
        vm = f"frozen{i}"
        owner, names = add_backup(cluster, vm, vm, 1)
        add_vm(cluster, vm)
        times.append(timed(client, review(owner, names[0], vm), True))
    line("admission of a freezing snapshot (guest takes 0 ms)", times)


def bench_calls(cluster, disks, backups):
    cluster.register_webhook()
    set_disk(cluster, cut=50)
    vms = [f"counted{disks}-{i}" for i in range(backups)]
    for vm in vms:
        add_vm(cluster, vm, disks)

    def count():
        ledger = cluster.control("GET", "calls")
        return sum(n for who in ("webhook", "sweeper") for verb, n in ledger.get(who, {}).items() if verb != "watch")

    def backup(vm):
        cluster.api.call("POST", BACKUPS, {
            "apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "metadata": {"name": vm, "namespace": "vms"},
            "spec": {"type": "backup", "source": {"kind": "VirtualMachine", "name": vm}}})
        for _ in range(200):
            if cluster.api.call("GET", f"{BACKUPS}/{vm}")["metadata"].get("annotations", {}).get(PREFIX + "consistency"):
                time.sleep(0.2)
                return
            time.sleep(0.05)
        raise RuntimeError(f"backup {vm} got no verdict: {cluster.control('GET', 'timeline')[-20:]}")

    cluster.control("DELETE", "calls")
    begin = time.monotonic()
    for vm in vms:
        backup(vm)
    lasted, total = time.monotonic() - begin, count()
    cluster.control("DELETE", "calls")
    time.sleep(lasted)
    idle = count()
    print(f"API calls of a backup of {disks} disks {'':24} {(total - idle) / backups:.1f} "
          f"({20 + 3 * disks}, as docs/how-it-works.md says); idle {idle / lasted:.1f} a second", flush=True)


def memory(cluster, when):
    for process in (cluster.webhook, cluster.sweeper):
        resident, anonymous = process.memory()
        print(f"memory {when}, {process.name:10} resident {resident:5.1f} MiB, anonymous {anonymous:5.1f} MiB", flush=True)


def load_contents(cluster, count):
    for i in range(count):
        cluster.api.call("POST", CONTENTS, {
            "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent", "metadata": {"name": f"old-{i}"},
            "spec": {"deletionPolicy": "Delete", "driver": "any", "source": {"snapshotHandle": f"handle-{i}"},
                     "volumeSnapshotRef": {"namespace": "vms", "name": f"old-{i}",
                                           "uid": f"00000000-0000-4000-8000-{i:012d}"}},
            "status": {"creationTime": 1790000000000000000, "readyToUse": True}})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    options = parser.parse_args()
    tenth = 10 if options.quick else 1
    with tempfile.TemporaryDirectory(prefix="snapfreeze-bench-") as directory:
        with Cluster(os.path.abspath(options.build), directory) as cluster:
            for part, seconds in cluster.ready.items():
                print(f"exec to ready, {part:43} {seconds * 1000:7.1f} ms", flush=True)
            time.sleep(3)
            memory(cluster, "idle")
            bench_calls(cluster, 1, 5)
            bench_calls(cluster, 3, 5)
            bench_calls(cluster, 8, 3)
            bench_thaw(cluster, 1, 200 // tenth)
            bench_thaw(cluster, 100 // tenth, 200 // tenth)
            bench_thaw(cluster, 1000 // tenth, 200 // tenth)
            bench_admission(cluster, 1000 // tenth)
            load_contents(cluster, 10000 // tenth)
            time.sleep(3)
            memory(cluster, "loaded")


if __name__ == "__main__":
    main()
