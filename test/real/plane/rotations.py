#!/usr/bin/env python3
"""Sends dry-run snapshots through a real API server while the webhook's certificates rotate and its replicas restart. Each must
come back with the webhook's marks. As failurePolicy is Ignore, missing marks show that an admission failed.

    test/real/plane/rotations.py PLANE BUILD [--admissions N] [--rotations N] [--restarts N]

PLANE is the folder of a control plane that up.sh has started, BUILD that of the binaries. Exits with 1 if an admission
was skipped, or a replica did not end well.
"""
import argparse
import asyncio
import json
import os
import random
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "load", "bench"))

from cluster import reserve_port  # noqa: E402
from plane import Plane  # noqa: E402
from replicas import Deployment  # noqa: E402
from rolling import MOUNT, Certificates, Sweepers, rotate_and_restart  # noqa: E402

NAMESPACE = "rolling"
SNAPSHOTS = f"/apis/snapshot.storage.k8s.io/v1/namespaces/{NAMESPACE}/volumesnapshots?dryRun=All"
SERVICES = "/api/v1/namespaces/snapfreeze-system/services"
ADDED = "snapfreeze.harvesterhci.io/consistency"
CALLERS = 4
RATE = 40  # admissions a second


class Service(threading.Thread):
    """What kube-proxy does: each connection goes to one of the replicas that are ready now."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self._ports = ports
        self.port = reserve_port()

    def run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        await server.serve_forever()

    async def _pass(self, reader, writer):
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", random.choice(self._ports()))
            await asyncio.gather(self._copy(reader, other_writer), self._copy(other_reader, writer))
        except OSError:
            writer.close()

    @staticmethod
    async def _copy(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


class Creator(threading.Thread):
    """Creates snapshots by dry run, one after another, until it is ended."""

    def __init__(self, client, pace):
        super().__init__(daemon=True)
        self._client, self._pace = client, pace
        self._ended = threading.Event()
        self.made, self.failures = 0, []

    def end(self):
        self._ended.set()
        self.join()

    def run(self):
        while not self._ended.wait(self._pace * random.uniform(0.5, 1.5)):
            try:
                made = self._client.call("POST", SNAPSHOTS, {
                    "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
                    "metadata": {"generateName": "rolling-", "labels": {"snapfreeze.harvesterhci.io/backup": "rolling"},
                                 "annotations": {"snapfreeze.harvesterhci.io/vm": "none"}},
                    "spec": {"source": {"persistentVolumeClaimName": "none"}}})
            except (OSError, RuntimeError) as error:
                self.failures.append(f"{time.strftime('%T')} {error}")
                continue
            self.made += 1
            if ADDED not in made["metadata"].get("annotations", {}):
                self.failures.append(f"{time.strftime('%T')} the webhook was passed over: {json.dumps(made['metadata'])[:300]}")


def publish(plane, port):
    """The Service, by a name that resolves to loopback, and the registration that leads to it, without a caBundle."""
    plane.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    plane.api.call("POST", SERVICES, {"metadata": {"name": "snapfreeze-webhook"},
                                      "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}})
    plane.register({"service": {"namespace": "snapfreeze-system", "name": "snapfreeze-webhook", "path": "/mutate", "port": port}})


def run(plane, options):
    deployment = None
    service = Service(lambda: deployment.ports())
    publish(plane, service.port)
    sweepers, certificates = Sweepers(plane), Certificates(plane)
    certificates.await_new("certificate", None)
    deployment = Deployment(plane, MOUNT)
    service.start()
    creators = [Creator(plane.new_client(), CALLERS / RATE) for _ in range(CALLERS)]
    for creator in creators:
        creator.start()

    def admissions():
        return sum(creator.made for creator in creators)

    def progress():
        return f"{admissions()} admissions, {sum(len(creator.failures) for creator in creators)} failed"

    restarts, well = rotate_and_restart(options, certificates, deployment, sweepers, progress)
    end = time.monotonic() + 10 * options.admissions / RATE
    while admissions() < options.admissions and time.monotonic() < end:
        time.sleep(0.1)
    for creator in creators:
        creator.end()
    well = deployment.end() and well
    well = sweepers.stop() and well
    failures = [failure for creator in creators for failure in creator.failures]
    for failure in failures[:20]:
        print(f"  {failure}")
    print(f"{admissions()} admissions by the real API server, {options.rotations} rotations, {restarts} rolling restarts: "
          f"{len(failures)} failed")
    if not well:
        print("a process did not end with status 0")
    return well and not failures and admissions() >= options.admissions


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("plane")
    parser.add_argument("build")
    parser.add_argument("--admissions", type=int, default=2000)
    parser.add_argument("--rotations", type=int, default=3)
    parser.add_argument("--restarts", type=int, default=1)
    options = parser.parse_args()
    with Plane(os.path.abspath(options.build), os.path.abspath(options.plane)) as plane:
        sys.exit(0 if run(plane, options) else 1)


if __name__ == "__main__":
    main()
