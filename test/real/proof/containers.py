"""The admin's machine: a root with Debian's registry and containerd, a server of files, and programs from the images that containerd
has pulled."""

import functools
import http.server
import pathlib
import ssl
import subprocess
import threading
import time
import urllib.parse

from plane import run, wait_for

REGISTRY = "registry.example.org"
FILES_ADDRESS = "127.0.0.2"
# Of a process in the image's files, with the folder of the plane in them by its own name, as its user.
WRAPPER = """#!/bin/sh
exec unshare --mount sh -c 'mkdir -p "$0$1" && mount --bind "$1" "$0$1" && shift && exec chroot --userspec=65532:65532 "$0" /usr/bin/snapfreeze "$@"' \\
  {rootfs} {folder} "$@"
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Machine:
    def __init__(self, root, logs):
        self.root, self.logs = pathlib.Path(root), pathlib.Path(logs)
        self._started = []
        run(["mount", "-t", "proc", "proc", self.root / "proc"])
        run(["mount", "--rbind", "/dev", self.root / "dev"])
        run(["mount", "-t", "tmpfs", "tmpfs", self.root / "run"])
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost {REGISTRY}\n")

    def inside(self, command):
        return ["chroot", str(self.root), "env", "-i", "HOME=/root", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *command]

    def run(self, *command):
        return run(self.inside(command))

    def start(self, name, *command):
        with open(self.logs / f"{name}.log", "w", encoding="utf-8") as log:
            self._started.append(subprocess.Popen(self.inside(command), stdout=log, stderr=log))

    def stop(self):
        for process in self._started:
            process.terminate()
        for process in self._started:
            process.wait(10)

    def certificate(self, name):
        """The folder of a certificate for that name, which the machine trusts from now on."""
        folder = self.root / "etc" / name
        folder.mkdir()
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / "key", "-out", folder / "crt"])
        (self.root / f"usr/local/share/ca-certificates/{name}.crt").write_bytes((folder / "crt").read_bytes())
        self.run("update-ca-certificates")
        return folder

    def serve_registry(self):
        """Where the page has it."""
        folder = self.certificate(REGISTRY)
        (folder / "config.yml").write_text(
            "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\n"
            f"http: {{addr: '127.0.0.1:443', tls: {{certificate: /etc/{REGISTRY}/crt, key: /etc/{REGISTRY}/key}}}}\n")
        self.start("registry", "docker-registry", "serve", f"/etc/{REGISTRY}/config.yml")

    def serve_files(self, url, folder):
        """The folder at that address."""
        where = urllib.parse.urlsplit(url)
        certificate = self.certificate(where.hostname)
        with open(self.root / "etc/hosts", "a", encoding="utf-8") as hosts:
            hosts.write(f"{FILES_ADDRESS} {where.hostname}\n")
        above = self.logs / "files"
        above.mkdir()
        (above / where.path.strip("/")).symlink_to(folder)
        server = http.server.ThreadingHTTPServer((FILES_ADDRESS, 443), functools.partial(QuietHandler, directory=str(above)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "crt", certificate / "key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def start_containerd(self):
        # Plain folders, as an overlay may stand on another one here.
        self.start("containerd", "containerd")
        wait_for("containerd", 30, lambda: self.run("ctr", "version"))

    def images(self):
        return self.run("ctr", "-n", "k8s.io", "images", "ls", "-q").split()

    def program(self, image, folder):
        """A program that runs the image's, which containerd must have by that name; a kubelet pulls it where it has not."""
        if image not in self.images():
            self.run("ctr", "-n", "k8s.io", "images", "pull", image)
        name = f"rootfs-{time.monotonic_ns()}"
        (self.root / name).mkdir()
        self.run("ctr", "-n", "k8s.io", "images", "mount", "--snapshotter", "native", "--rw", image, f"/{name}")
        wrapper = self.logs / name
        wrapper.write_text(WRAPPER.format(rootfs=self.root / name, folder=folder))
        wrapper.chmod(0o755)
        return wrapper
