"""The admin's machine: a root with Debian's registry and containerd, and programs from the images that containerd has pulled."""

import pathlib
import subprocess
import time

from plane import run, wait_for

REGISTRY = "registry.example.org"
# Of a process in the image's files, with the folder of the plane in them by its own name, as its user.
WRAPPER = """#!/bin/sh
exec unshare --mount sh -c 'mkdir -p "$0$1" && mount --bind "$1" "$0$1" && shift && exec chroot --userspec=65532:65532 "$0" /usr/bin/snapfreeze "$@"' \\
  {rootfs} {folder} "$@"
"""


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

    def serve_registry(self):
        """Where the page has it, with a certificate that the machine trusts."""
        folder = self.root / "etc/registry"
        folder.mkdir()
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={REGISTRY}",
             "-addext", f"subjectAltName=DNS:{REGISTRY}", "-keyout", folder / "key", "-out", folder / "crt"])
        (self.root / "usr/local/share/ca-certificates/registry.crt").write_bytes((folder / "crt").read_bytes())
        self.run("update-ca-certificates")
        (folder / "config.yml").write_text(
            "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\n"
            "http: {addr: ':443', tls: {certificate: /etc/registry/crt, key: /etc/registry/key}}\n")
        self.start("registry", "docker-registry", "serve", "/etc/registry/config.yml")

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
