"""The sandbox and snapfreeze's processes, started on loopback and stopped by pid."""
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time

WAIT = 20  # seconds for anything to come up


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """HTTPS with one kept connection."""

    def __init__(self, port, ca, token=None):
        context = ssl.create_default_context(cafile=ca)
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=WAIT)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def call(self, method, path, body=None, content_type=None):
        headers = dict(self._headers)
        if content_type:
            headers["Content-Type"] = content_type
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        self._connection.request(method, path, data, headers)
        reply = self._connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path}: {reply.status} {text.decode(errors='replace')[:300]}")
        return json.loads(text) if text else {}


class Process:
    def __init__(self, name, command, log):
        self.name = name
        self.started = time.perf_counter()
        self._log = open(log, "wb")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.pid = self._process.pid

    def memory(self):
        """Resident and anonymous MiB."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as file:
            fields = dict(re.findall(r"^(\w+): +(\d+) kB$", file.read(), re.MULTILINE))
        return int(fields["Rss"]) / 1024, int(fields["Anonymous"]) / 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def await_ready(process, port):
    """Seconds from exec until /readyz says yes."""
    while time.perf_counter() - process.started < WAIT:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return time.perf_counter() - process.started
        except OSError:
            pass
        time.sleep(0.0005)
    sys.exit(f"bench: {process.name} did not get ready in {WAIT} s; see its log")


class Cluster:
    """A sandbox with one webhook and one sweeper; a context manager."""

    def __init__(self, build, directory):
        self._build, self._directory = build, directory
        self._running = []
        self.ready = {}

    def __enter__(self):
        port = free_port()
        self._start("sandbox", ["snapfreeze-sandbox", "--directory", self._directory, "--port", str(port), "--with-parent"])
        config = self._file("admin.kubeconfig")
        for _ in range(WAIT * 100):
            if os.path.exists(config):
                break
            time.sleep(0.01)
        with open(config, encoding="utf-8") as file:
            token = re.search(r"token: (\S+)", file.read()).group(1)
        self._ca = self._file("ca.crt")
        self.api = Client(port, self._ca, token)
        self.control("POST", "namespaces", {"name": "snapfreeze-system"})
        self.sweeper = self._start_ready("sweeper", ["--certificates-from", "elsewhere"])
        self._certificate()
        self._webhook_port = free_port()
        self.webhook = self._start_ready("webhook", ["--listen", f"127.0.0.1:{self._webhook_port}", "--tls-cert",
                                                    self._file("webhook.crt"), "--tls-key", self._file("webhook.key")])
        return self

    def __exit__(self, *_):
        for process in reversed(self._running):
            process.stop()

    def control(self, method, path, body=None):
        return self.api.call(method, "/sandbox/" + path, body)

    def webhook_client(self):
        return Client(self._webhook_port, self._file("webhook.crt"))

    def register_webhook(self):
        with open(self._file("webhook.crt"), encoding="utf-8") as file:
            ca = file.read()
        self.control("POST", "webhook", {"name": "snapfreeze-webhook", "service_namespace": "snapfreeze-system", "ca_bundle": ca,
                                          "replicas": [{"host": "127.0.0.1", "port": self._webhook_port}]})

    def unfreezes(self):
        """VM -> when its unfreeze call came, and cuts: VM -> when; in milliseconds of the sandbox's clock."""
        calls, cuts = {}, {}
        for entry in self.control("GET", "timeline"):
            if entry["kind"] == "call" and entry["detail"].startswith("unfreeze"):
                calls.setdefault(entry["object"], entry["ms"])
            if entry["kind"] == "cut":
                cuts[entry["detail"]] = entry["ms"]
        return calls, cuts

    def _file(self, name):
        return os.path.join(self._directory, name)

    def _start(self, name, command):
        process = Process(name, [os.path.join(self._build, command[0]), *command[1:]], self._file(name + ".log"))
        self._running.append(process)
        return process

    def _start_ready(self, part, options):
        status = free_port()
        process = self._start(part, ["snapfreeze", part, "--kubeconfig", self._file(part + ".kubeconfig"), "--namespace",
                                     "snapfreeze-system", "--status-listen", f"127.0.0.1:{status}", *options])
        self.ready[part] = await_ready(process, status)
        return process

    def _certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1,DNS:snapfreeze-webhook.snapfreeze-system.svc", "-keyout",
                        self._file("webhook.key"), "-out", self._file("webhook.crt")], check=True, capture_output=True)
