"""Admission reviews as API servers send them: on kept connections, trusting the caBundle that they last read."""
import base64
import http.client
import json
import random
import select
import socket
import ssl
import threading
import time

from bench import review

SERVER_NAME = "snapfreeze-webhook.snapfreeze-system.svc"
# So that the webhook has to ask the API server.
OWNER = {"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "name": "gone", "uid": "gone", "controller": True}
REGISTRATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/snapfreeze"


class Connection(http.client.HTTPSConnection):
    """To a port of loopback, where the certificate must be for the Service's name."""

    def __init__(self, port, bundle):
        context = ssl.create_default_context(cadata=bundle)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as in cluster.py
        super().__init__("127.0.0.1", port, context=context, timeout=10)
        self._context = context

    def connect(self):
        plain = socket.create_connection((self.host, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._context.wrap_socket(plain, server_hostname=SERVER_NAME)

    def closed_by_peer(self):
        """Whether the peer has closed it while it rested. Go's transport looks, too, before it sends on a kept connection."""
        return self.sock is None or bool(select.select([self.sock], [], [], 0)[0])


class ApiServer(threading.Thread):
    """One caller. `ports()` are the replicas that the Service leads to now; its bundle is up to `lag` seconds old."""

    def __init__(self, client, ports, lag, pace):
        super().__init__(daemon=True)
        self._client, self._ports, self._lag, self._pace = client, ports, lag, pace
        self._bundle, self._looked = "", 0
        self._kept = {}  # port -> (bundle it was made with, Connection)
        self._ended = threading.Event()
        self.times, self.failures, self.handshakes = [], [], 0

    def end(self):
        self._ended.set()
        self.join()

    def run(self):
        while not self._ended.wait(self._pace * random.uniform(0.5, 1.5)):
            self._look()
            port = random.choice(self._ports())
            begin = time.perf_counter()
            try:
                self._admit(port)
                self.times.append(time.perf_counter() - begin)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.failures.append(f"{time.strftime('%T')} port {port}: {type(error).__name__}: {error}")
                self._kept.pop(port, None)

    def _look(self):
        if time.monotonic() - self._looked < self._lag:
            return
        self._looked = time.monotonic()
        webhook = self._client.call("GET", REGISTRATION)["webhooks"][0]
        self._bundle = base64.b64decode(webhook["clientConfig"]["caBundle"]).decode()

    def _admit(self, port):
        made_with, connection = self._kept.get(port, (None, None))
        # Every tenth begins anew, or handshakes would be rare.
        if made_with != self._bundle or connection.closed_by_peer() or random.random() < 0.1:
            if connection:
                connection.close()
            connection = Connection(port, self._bundle)
            connection.connect()
            self.handshakes += 1
        self._kept[port] = (self._bundle, connection)
        uid = f"{random.getrandbits(64):016x}"
        connection.request("POST", "/mutate?timeout=10s", review(OWNER, uid), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise ValueError(f"{reply.status} {body[:200]}")
        answer = json.loads(body)["response"]
        if answer["uid"] != uid or answer["allowed"] is not True:
            raise ValueError(f"not the answer to {uid}: {body[:200]}")
        if reply.getheader("Connection", "").lower() == "close":
            self._kept.pop(port)
            connection.close()
