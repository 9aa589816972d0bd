#!/usr/bin/env python3
"""measure.py DIR: prints how long guests were frozen on the control plane in DIR, by what really happened in guests and on disks.

For comparison, it prints how long the same cuts would have taken with a tool that waits for the VolumeSnapshot's own
creationTime, as all others do, and with Harvester's fixed times. Fails if the median is over 1.05 x the cut + two round trips
+ the guest's thaw.
"""
import http.client
import json
import ssl
import statistics
import sys
import time

THAW = 15.0  # ms that a guest of the scenarios takes


def connect(directory, port):
    context = ssl.create_default_context(cafile=f"{directory}/pki/ca.crt")
    context.load_cert_chain(f"{directory}/pki/admin.crt", f"{directory}/pki/admin.key")
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)


def get(connection, path):
    connection.request("GET", path)
    reply = connection.getresponse()
    body = reply.read()
    if reply.status != 200:
        sys.exit(f"{path}: {reply.status} {body[:200]!r}")
    return json.loads(body)


def round_trip(connection):
    """The median of a read that goes to etcd, in milliseconds."""
    times = []
    for _ in range(50):
        begun = time.monotonic()
        get(connection, "/apis/coordination.k8s.io/v1/namespaces/snapfreeze-system/leases")
        times.append((time.monotonic() - begun) * 1000)
    return statistics.median(times)


def rows(guests, timeline):
    """Of each freeze of ours that covered all cuts of its VM: (cut, frozen, until the VolumeSnapshot said so), from the freeze."""
    found = []
    for vm, guest in guests.items():
        cuts = {e["object"]: e["ms"] for e in timeline if e["kind"] == "cut" and e["detail"] == vm}
        reported = [e["ms"] for e in timeline if e["kind"] == "reported" and e["object"] in cuts]
        for interval in guest["intervals"]:
            begin, end = interval["from_ms"], interval["until_ms"]
            if not interval["frozen_by"].startswith("webhook") or not cuts or end is None:
                continue
            if begin <= min(cuts.values()) and max(cuts.values()) <= end and len(reported) == len(cuts):
                found.append((max(cuts.values()) - begin, end - begin, max(reported) - begin + THAW))
    return found


def main():
    directory = sys.argv[1]
    with open(f"{directory}/port", encoding="utf-8") as file:
        port = int(file.read())
    trip = round_trip(connect(directory, port))
    control = connect(directory, port + 6)
    found = sorted(rows(get(control, "/sandbox/guests"), get(control, "/sandbox/timeline")))
    if not found:
        sys.exit("measure.py: no freeze of ours covered the cuts of its VM")
    print(f"{'last cut':>10} {'frozen':>10} {'':>6} {'by VolumeSnapshot':>18} {'':>6} {'Harvester 1 s':>14} {'10 s':>7}   after the freeze")
    for cut, frozen, reported in found:
        one = "torn" if cut > 1000 else f"{1000 / cut:.2f}"
        ten = "torn" if cut > 10000 else f"{10000 / cut:.2f}"
        print(f"{cut:7.0f} ms {frozen:7.0f} ms {frozen / cut:6.3f} {reported:15.0f} ms {reported / cut:6.3f} {one:>14} {ten:>7}")
    over = statistics.median(frozen - 1.05 * cut - 2 * trip - THAW for cut, frozen, _ in found)
    ratio = statistics.median(frozen / cut for cut, frozen, _ in found)
    theirs = statistics.median(reported / cut for cut, _, reported in found)
    print(f"{len(found)} backups: frozen for {ratio:.3f} x the cut in the median (by VolumeSnapshot: {theirs:.3f} x), "
          f"{statistics.median(frozen - cut for cut, frozen, _ in found):.0f} ms after the last cut; round trip {trip:.1f} ms")
    if over > 0:
        sys.exit(f"measure.py: the median is {over:.0f} ms over 1.05 x the cut + two round trips + the guest's thaw")


if __name__ == "__main__":
    main()
