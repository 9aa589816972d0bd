#!/usr/bin/env python3
"""Admissions under steady load while certificates are rotated, replicas restarted and a sweeper killed: none may fail.

    test/load/bench/rolling.py [BUILD] [--admissions N] [--rotations N] [--restarts N]

BUILD is the folder of the binaries (default: build/release). Each rotation replaces the CA, and so the leaf, and then
the leaf alone. Exits with 1 if an admission failed, or a replica did not end well.
"""
import argparse
import os
import re
import sys
import tempfile
import time

from bench import percentile
from callers import REGISTRATION, ApiServer
from cluster import Sandbox
from replicas import Deployment

SETTLES = 3  # seconds between a CA's publication and a leaf of it
LAG = 2.5  # seconds that an API server may know an older bundle
MOUNT = 0.3  # seconds between two looks of the kubelet
CALLERS = 4
RATE = 100  # admissions a second
BOUND = 60  # seconds for anything to happen


class Certificates:
    """`snapfreeze certs`, and what it says."""

    def __init__(self, sandbox):
        self._sandbox = sandbox

    def do(self, what):
        status, text = self._run(what)
        if status != 0:
            raise RuntimeError(f"certs {what}: {text}")

    def serial(self, of):
        found = re.search(rf"^{of} .*serial (\S+)", self._run("show")[1], re.MULTILINE)
        return found.group(1) if found else None

    def await_new(self, of, before):
        """Until there is another one, trusted by the API server."""
        for _ in range(BOUND * 10):
            status, _ = self._run("show")
            if status == 0 and self.serial(of) != before:
                return
            time.sleep(0.1)
        raise RuntimeError(f"no new {of} in {BOUND} s: {self._run('show')[1]}")

    def _run(self, what):
        return self._sandbox.run("certs", what, "--kubeconfig", self._sandbox.file("sweeper-0.kubeconfig"), "--namespace",
                                 "snapfreeze-system")


def register(sandbox):
    sandbox.api.call("POST", REGISTRATION.rsplit("/", 1)[0], {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "snapfreeze"},
        "webhooks": [{"name": "volumesnapshots.snapfreeze.harvesterhci.io", "admissionReviewVersions": ["v1"], "sideEffects": "NoneOnDryRun",
                      "clientConfig": {"service": {"namespace": "snapfreeze-system", "name": "snapfreeze-webhook", "path": "/mutate"}}}]})


class Sweepers:
    """Two, of which the leader is killed at times."""

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._running = [self._start(0), self._start(1)]
        self._killed = 0

    def kill_one(self):
        number = self._killed % 2
        self._killed += 1
        self._running[number].kill()
        self._running[number] = self._start(number)

    def stop(self):
        """Whether both ended well."""
        return all([process.stop() == 0 for process in self._running])

    def _start(self, number):
        return self._sandbox.start_part("sweeper", ["--ca-settles", f"{SETTLES}s"], user=f"sweeper-{number}")[0]


def rotate(certificates, deployment):
    ca, leaf = certificates.serial("CA"), certificates.serial("certificate")
    certificates.do("rotate")
    certificates.await_new("CA", ca)
    certificates.await_new("certificate", leaf)
    deployment.await_served(BOUND)
    leaf = certificates.serial("certificate")
    certificates.do("issue")
    certificates.await_new("certificate", leaf)
    deployment.await_served(BOUND)


def rotate_and_restart(options, certificates, deployment, sweepers, progress):
    """All rotations, with the restarts spread over them: how many restarts, and whether all that ended did so well."""
    restarts, well = 0, True
    for number in range(1, options.rotations + 1):
        rotate(certificates, deployment)
        if restarts < options.restarts and number * options.restarts >= (restarts + 1) * options.rotations:
            restarts += 1
            well = deployment.restart() and well
            sweepers.kill_one()
        print(f"{number} rotations, {restarts} rolling restarts: {progress()}", flush=True)
    return restarts, well


def run(sandbox, options):
    register(sandbox)
    sweepers, certificates = Sweepers(sandbox), Certificates(sandbox)
    certificates.await_new("certificate", None)
    deployment = Deployment(sandbox, MOUNT)
    callers = [ApiServer(sandbox.new_client(), deployment.ports, LAG * (i + 1) / CALLERS, CALLERS / RATE) for i in range(CALLERS)]
    for caller in callers:
        caller.start()

    def admissions():
        return sum(len(caller.times) + len(caller.failures) for caller in callers)

    def progress():
        return f"{admissions()} admissions, {sum(len(caller.failures) for caller in callers)} failed"

    restarts, well = rotate_and_restart(options, certificates, deployment, sweepers, progress)
    while admissions() < options.admissions:
        time.sleep(0.1)
    for caller in callers:
        caller.end()
    well = deployment.end() and well
    well = sweepers.stop() and well

    failures = [failure for caller in callers for failure in caller.failures]
    times = [1000 * seconds for caller in callers for seconds in caller.times]
    for failure in failures[:20]:
        print(f"  {failure}")
    print(f"{admissions()} admissions, {sum(caller.handshakes for caller in callers)} handshakes, {options.rotations} rotations of CA and leaf and "
          f"as many of the leaf alone, {restarts} rolling restarts and sweepers killed: {len(failures)} failed; "
          f"p50 {percentile(times, 0.5):.1f} ms, p99 {percentile(times, 0.99):.1f} ms, longest {max(times):.0f} ms")
    if not well:
        print("a process did not end with status 0")
    return well and not failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--admissions", type=int, default=20000)
    parser.add_argument("--rotations", type=int, default=10)
    parser.add_argument("--restarts", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="snapfreeze-rolling-") as directory:
        with Sandbox(os.path.abspath(options.build), directory) as sandbox:
            sys.exit(0 if run(sandbox, options) else 1)


if __name__ == "__main__":
    main()
