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


_reserved = []


def reserve_port():
    """A loopback port for a server that starts later: nobody but who asks for this very one, with SO_REUSEADDR, gets it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _reserved.append(holder)
    return holder.getsockname()[1]


class Client:
    """HTTPS with one kept connection."""

    def __init__(self, port, ca, token=None, certificate=None):
        context = ssl.create_default_context(cafile=ca)
        if certificate:
            context.load_cert_chain(*certificate)
        # Python 3.13 began to ask for extensions that the API server's own verifier does not.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=WAIT)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def close(self):
        self._connection.close()

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
        """Its exit status."""
        self._process.terminate()
        try:
            self._process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.kill()
        self._log.close()
        return self._process.returncode

    def kill(self):
        self._process.kill()
        self._process.wait()


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


class Sandbox:
    """A sandbox, and processes of snapfreeze beside it; a context manager."""

    def __init__(self, build, directory):
        self.directory = directory
        self._build = build
        self._running = []

    def __enter__(self):
        port = reserve_port()
        self.start("sandbox", ["snapfreeze-sandbox", "--directory", self.directory, "--port", str(port), "--with-parent"])
        config = self.file("admin.kubeconfig")
        for _ in range(WAIT * 100):
            if os.path.exists(config):
                break
            time.sleep(0.01)
        with open(config, encoding="utf-8") as file:
            self._token = re.search(r"token: (\S+)", file.read()).group(1)
        self._port = port
        self.api = self.new_client()
        self.control("POST", "namespaces", {"name": "snapfreeze-system"})
        return self

    def __exit__(self, *_):
        for process in reversed(self._running):
            process.stop()

    def new_client(self):
        return Client(self._port, self.file("ca.crt"), self._token)

    def control(self, method, path, body=None):
        return self.api.call(method, "/sandbox/" + path, body)

    def file(self, name):
        return os.path.join(self.directory, name)

    def start(self, name, command):
        process = Process(name, [os.path.join(self._build, command[0]), *command[1:]], self.file(name + ".log"))
        self._running.append(process)
        return process

    def start_part(self, part, options, user=None, name=None):
        """webhook or sweeper, and the port of its health and metrics."""
        status = reserve_port()
        user = user or part
        return self.start(name or user, [
            "snapfreeze", part, "--kubeconfig", self.file(user + ".kubeconfig"), "--namespace", "snapfreeze-system",
            "--identity", name or user, "--status-listen", f"127.0.0.1:{status}", *options]), status

    def run(self, *command):
        """A command of snapfreeze that ends: its status and what it printed."""
        ended = subprocess.run([os.path.join(self._build, "snapfreeze"), *command], capture_output=True, text=True,
                               timeout=WAIT, check=False)
        return ended.returncode, ended.stdout + ended.stderr


class Cluster(Sandbox):
    """A sandbox with one webhook and one sweeper."""

    def __enter__(self):
        super().__enter__()
        self.ready = {}
        self.sweeper = self._start_ready("sweeper", ["--certificates-from", "elsewhere", *self.sweeper_options()])
        self._certificate()
        self.webhook_port = reserve_port()
        self.webhook = self._start_ready("webhook", ["--listen", f"127.0.0.1:{self.webhook_port}", "--tls-cert",
                                                    self.file("webhook.crt"), "--tls-key", self.file("webhook.key")])
        return self

    def sweeper_options(self):
        """More of them, for a benchmark that needs some."""
        return []

    def webhook_client(self):
        return Client(self.webhook_port, self.file("webhook.crt"))

    def register_webhook(self):
        with open(self.file("webhook.crt"), encoding="utf-8") as file:
            ca = file.read()
        self.control("POST", "webhook", {"name": "snapfreeze-webhook", "service_namespace": "snapfreeze-system", "ca_bundle": ca,
                                          "replicas": [{"host": "127.0.0.1", "port": self.webhook_port}]})

    def unfreezes(self):
        """VM -> when its unfreeze call came, and cuts: VM -> when; in milliseconds of the sandbox's clock."""
        calls, cuts = {}, {}
        for entry in self.control("GET", "timeline"):
            if entry["kind"] == "call" and entry["detail"].startswith("unfreeze"):
                calls.setdefault(entry["object"], entry["ms"])
            if entry["kind"] == "cut":
                cuts[entry["detail"]] = entry["ms"]
        return calls, cuts

    def _start_ready(self, part, options):
        process, status = self.start_part(part, options)
        self.ready[part] = await_ready(process, status)
        return process

    def _certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=bench", "-addext",
                        "subjectAltName=IP:127.0.0.1,DNS:snapfreeze-webhook.snapfreeze-system.svc", "-keyout",
                        self.file("webhook.key"), "-out", self.file("webhook.crt")], check=True, capture_output=True)
