"""Webhook replicas as a cluster runs them: the Secret is mounted and replaced by a symlink swap, readiness is probed, and
replicas restart one after another while the Service leads to those that are ready."""
import base64
import http.client
import os
import shutil
import socket
import ssl
import threading
import time

from cluster import await_ready, reserve_port

TLS_SECRET = "/api/v1/namespaces/snapfreeze-system/secrets/snapfreeze-tls"


class MountedSecret:
    """The Secret's entries as files, replaced as the kubelet does: a new folder, then the symlink `..data` onto it."""

    def __init__(self, directory):
        self._directory = directory
        self._version = None
        os.makedirs(directory)

    def update(self, secret):
        version = secret["metadata"]["resourceVersion"]
        if version == self._version:
            return
        before, self._version = self._version, version
        folder = os.path.join(self._directory, ".." + version)
        os.makedirs(folder)
        for name, value in secret["data"].items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(base64.b64decode(value))
            link = os.path.join(self._directory, name)
            if not os.path.islink(link):
                os.symlink(os.path.join("..data", name), link)
        swap = os.path.join(self._directory, "..data_tmp")
        os.symlink(".." + version, swap)
        os.rename(swap, os.path.join(self._directory, "..data"))
        if before:
            shutil.rmtree(os.path.join(self._directory, ".." + before))

    def file(self, name):
        return os.path.join(self._directory, name)


class Replica:
    """One webhook process, with a Secret mounted."""

    def __init__(self, sandbox, number, name):
        self.mount = MountedSecret(sandbox.file(name))
        self.mount.update(sandbox.api.call("GET", TLS_SECRET))
        self.port = reserve_port()
        self._process, self._status = sandbox.start_part(
            "webhook", ["--listen", f"127.0.0.1:{self.port}", "--tls-cert", self.mount.file("tls.crt"), "--tls-key",
                        self.mount.file("tls.key")], user=f"webhook-{number}", name=name)
        await_ready(self._process, self._status)

    def ready(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._status, timeout=1)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def serves(self, secret):
        """Whether it presents the certificate of this Secret."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 5)) as connection:
            presented = connection.getpeercert(binary_form=True)
        pem = base64.b64decode(secret["data"]["tls.crt"]).decode()
        return presented == ssl.PEM_cert_to_DER_cert(pem[:pem.index("-----END") + len("-----END CERTIFICATE-----")])

    def stop(self):
        return self._process.stop()


class Deployment:
    """Two replicas, and what the kubelet and the endpoints controller do for them, `interval` seconds apart."""

    def __init__(self, sandbox, interval):
        self._sandbox, self._interval = sandbox, interval
        self._client = sandbox.new_client()
        self._made = 0
        self._replicas = [self._new(number) for number in (0, 1)]
        self._ready = list(self._replicas)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_after, daemon=True)
        self._thread.start()

    def ports(self):
        return [replica.port for replica in self._ready]

    def await_served(self, bound):
        """Until each replica presents the certificate that is stored."""
        end = time.monotonic() + bound
        secret = self._sandbox.api.call("GET", TLS_SECRET)
        while not all(replica.serves(secret) for replica in self._replicas):
            if time.monotonic() > end:
                raise RuntimeError(f"not every replica presents the new certificate within {bound} s")
            time.sleep(0.1)

    def restart(self):
        """As maxUnavailable: 0 has it: the new one is ready before the old one is told to stop. Whether all ended well."""
        well = True
        for number, old in enumerate(list(self._replicas)):
            new = self._new(number)
            self._replicas = [*self._replicas, new]
            while new not in self._ready:
                self._ended.wait(0.05)
            # It goes on to be called until somebody has seen that it is not ready any more.
            well = old.stop() == 0 and well
            self._replicas = [replica for replica in self._replicas if replica is not old]
        return well

    def end(self):
        """Whether all ended well."""
        self._ended.set()
        self._thread.join()
        return all([replica.stop() == 0 for replica in self._replicas])

    def _new(self, number):
        self._made += 1
        return Replica(self._sandbox, number, f"webhook-{number}-{self._made}")

    def _look_after(self):
        while not self._ended.wait(self._interval):
            secret = self._client.call("GET", TLS_SECRET)
            for replica in self._replicas:
                replica.mount.update(secret)
            self._ready = [replica for replica in self._replicas if replica.ready()] or self._ready
