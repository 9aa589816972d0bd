"""A real control plane (test/real/plane/up.sh) and snapfreeze's processes on it. Every wait has a bound."""
import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import time

from machine import HERE, die_with_parent

PLANE = HERE.parent / "plane"
PORTS = 20  # up.sh's API server, and what follows it
OWN_NAMESPACE, LEADER_LEASE = "snapfreeze-system", "snapfreeze-sweeper"


class ChainError(Exception):
    """A part of the control plane failed or did not answer in time."""


def wait_until(what, seconds, check, every=0.1):
    """The first answer of check() that is neither None nor False."""
    deadline = time.monotonic() + seconds
    while (answer := check()) is None or answer is False:
        if time.monotonic() > deadline:
            raise ChainError(f"{what}: not within {seconds} s")
        time.sleep(every)
    return answer


def free_ports():
    """The first of a range of loopback ports that nobody uses."""
    for first in range(21000, 29000, PORTS):
        links = []
        try:
            for port in range(first, first + PORTS):
                links.append(socket.socket())
                links[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            pass
        finally:
            for link in links:
                link.close()
    raise ChainError(f"no {PORTS} free loopback ports in a row")


class ControlPlane:
    """tools: folder of the programs that up.sh asks for, with the rig. folder: not there yet; logs are left in it."""

    def __init__(self, folder, tools):
        self.folder = pathlib.Path(folder)
        self.port = free_ports()
        environment = {**os.environ, "BIN": str(tools), "PORT": str(self.port)}
        try:
            done = subprocess.run([PLANE / "up.sh", self.folder], env=environment, capture_output=True, text=True, timeout=180)
            if done.returncode != 0:
                raise ChainError(f"the control plane did not come up: {done.stderr.strip()}")
        except BaseException:
            self.stop()
            raise
        self._tls = ssl.create_default_context(cafile=self.folder / "pki/ca.crt")
        # Python 3.13 began to ask for extensions that Kubernetes does not.
        self._tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._tls.load_cert_chain(self.folder / "pki/admin.crt", self.folder / "pki/admin.key")

    def stop(self):
        if self.folder.exists():
            subprocess.run([PLANE / "down.sh", self.folder], timeout=60)

    def api(self, method, path, body=None):
        """As the cluster's admin: the answer's object, or None when there is no such object."""
        link = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=15, context=self._tls)
        return self._exchange(link, method, path, body)

    def rig(self, path, body):
        """Tells the rig of KubeVirt, Harvester and storage what happens."""
        link = http.client.HTTPSConnection("127.0.0.1", self.port + 6, timeout=15, context=self._tls)
        self._exchange(link, "POST", f"/sandbox/{path}", body)

    def _exchange(self, link, method, path, body):
        try:
            link.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            reply = link.getresponse()
            text = reply.read()
        except OSError as error:
            raise ChainError(f"{method} {path}: {error}") from error
        finally:
            link.close()
        if reply.status == 404 and method == "GET":
            return None
        if reply.status >= 300:
            raise ChainError(f"{method} {path}: {reply.status} {text.decode(errors='replace').strip()}")
        return json.loads(text)


class Snapfreeze:
    """One webhook and one sweeper, as the chart would run them, with the least rights."""

    def __init__(self, plane, program):
        self._plane, self._program = plane, str(program)
        self._processes = []
        registration = json.loads((plane.folder / "registration.json").read_text())
        plane.api("POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", registration)

    def start(self):
        # The sweeper first: the webhook freezes nothing until it has seen one lead.
        self._begin("sweeper", self._plane.port + 14, "--certificates-from", "elsewhere")
        wait_until("a sweeper that leads", 30, self._leader)
        pki = self._plane.folder / "pki"
        self._begin("webhook", self._plane.port + 13, "--listen", f"127.0.0.1:{self._plane.port + 11}",
                    "--tls-cert", pki / "webhook.crt", "--tls-key", pki / "webhook.key")

    def running(self):
        for process in self._processes:
            if process.poll() is not None:
                raise ChainError(f"`{' '.join(process.args[:2])}` ended with {process.returncode}; "
                                 f"see {self._plane.folder}")
        return bool(self._processes)

    def stop(self):
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self._processes = []

    def _begin(self, part, status_port, *options):
        folder = self._plane.folder
        with open(folder / f"snapfreeze-{part}.log", "ab") as log:
            command = [self._program, part, "--kubeconfig", folder / f"{part}-0.kubeconfig", "--identity", f"{part}-0",
                       "--status-listen", f"127.0.0.1:{status_port}", *options]
            self._processes.append(subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=log, preexec_fn=die_with_parent))
        wait_until(f"the {part} to be ready", 30, lambda: self.running() and self._ready(status_port))

    def _ready(self, port):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            link.request("GET", "/readyz")
            return link.getresponse().status == 200
        except OSError:
            return False
        finally:
            link.close()

    def _leader(self):
        lease = self._plane.api("GET", f"/apis/coordination.k8s.io/v1/namespaces/{OWN_NAMESPACE}/leases/{LEADER_LEASE}")
        return bool(lease and lease["spec"].get("holderIdentity"))
