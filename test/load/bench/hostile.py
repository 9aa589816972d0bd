#!/usr/bin/env python3
"""How long an admission takes while others attack the webhook, compared with peace.

    test/load/bench/hostile.py [BUILD] [--admissions N] [--connections N]

N admissions are measured under each attack, and during as many short connections. The attackers run on this machine at the
lowest priority, so that the processor time that they take hardly affects the ratios.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

from attacks import ATTACKS
from bench import percentile, review
from cluster import Cluster

HERE = os.path.dirname(os.path.abspath(__file__))
SETTLE = 3  # seconds until an attack is under way
ATTEMPTS = 50  # of one admission, before it counts as not answered


def admit(client, number):
    """Milliseconds, and how often it was told to come again."""
    begin = time.perf_counter()
    for attempt in range(ATTEMPTS):
        try:
            client.call("POST", "/mutate?timeout=10s", review(None, f"f{number}"))
            return (time.perf_counter() - begin) * 1000, attempt
        except RuntimeError as error:
            if " 429 " not in str(error):
                raise
            time.sleep(0.02)
    sys.exit(f"hostile: admission {number} was not answered in {ATTEMPTS} attempts")


def measure(cluster, count):
    """Half on a kept connection, half with a handshake each, as an API server does."""
    kept, times, again = cluster.webhook_client(), [], 0
    for number in range(count):
        begin = time.perf_counter()
        client = kept if number % 2 else cluster.webhook_client()
        connected = (time.perf_counter() - begin) * 1000
        took, attempts = admit(client, number)
        times.append(took + (0 if client is kept else connected))
        again += attempts
        if client is not kept:
            client.close()
        time.sleep(0.002)
    return times, again


def attack(cluster, name, *arguments):
    return subprocess.Popen(["nice", "-n", "19", sys.executable, "-B", os.path.join(HERE, "attacks.py"), name,
                             str(cluster.webhook_port), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def show(name, times, again, peace, cluster):
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    resident, anonymous = cluster.webhook.memory()
    print(f"{name:20} p50 {p50:7.2f} ms ({p50 / peace[0]:5.2f} x)  p99 {p99:7.2f} ms ({p99 / peace[1]:5.2f} x)  told to come again {again:3}  "
          f"resident {resident:6.1f} MiB, anonymous {anonymous:6.1f} MiB", flush=True)


def run(cluster, options):
    measure(cluster, options.admissions // 4)  # warms both sides up
    times, again = measure(cluster, options.admissions)
    peace = percentile(times, 0.5), percentile(times, 0.99)
    show("in peace", times, again, peace, cluster)
    for one in ATTACKS:
        process = attack(cluster, one.__name__)
        try:
            time.sleep(SETTLE)
            times, again = measure(cluster, options.admissions)
            if process.poll() is not None:
                sys.exit(f"hostile: {one.__name__} ended by itself, with {process.returncode}")
            show(one.__name__.replace("_", " "), times, again, peace, cluster)
        finally:
            process.kill()
            process.wait()
        time.sleep(1)
    process = attack(cluster, "short", str(options.connections))
    begin, times, again = time.monotonic(), [], 0
    while process.poll() is None:
        more = measure(cluster, 50)
        times, again = times + more[0], again + more[1]
    lasted = time.monotonic() - begin
    print(f"{process.stdout.read().strip()} short connections in {lasted:.0f} s:")
    show("short connections", times, again, peace, cluster)
    times, again = measure(cluster, options.admissions)
    show("in peace again", times, again, peace, cluster)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--admissions", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=1000000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="snapfreeze-hostile-") as directory:
        with Cluster(os.path.abspath(options.build), directory) as cluster:
            run(cluster, options)


if __name__ == "__main__":
    main()
