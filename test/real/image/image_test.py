#!/usr/bin/env python3
"""Tests whether an image starts, refuses and serves.

    test/real/image/image_test.py ARCHIVE [BUILD] [--arch ARCH] [--emulator PROGRAM]

ARCHIVE is an OCI image in a tar file, BUILD the folder with snapfreeze-sandbox (default: build/release). The image's
processes run as its user beside a sandbox, with the image's files as their read-only root. That needs no engine, but root.
ARCH chooses one of several images. PROGRAM, such as /usr/bin/qemu-aarch64-static, runs an image that is not for this machine.
"""
import argparse
import fcntl
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(__file__), "../../load/bench"))
from bench import BACKUPS, PREFIX, review  # noqa: E402
from cluster import WAIT, Cluster  # noqa: E402
from name_server import NameServer  # noqa: E402
from oci import Image  # noqa: E402

LIMIT = {"12": 16, "13": 18}  # MiB, uncompressed, on each Debian; the libraries of 13 are larger
BY_DNS, BY_HOSTS = "dns.snapfreeze.test", "hosts.snapfreeze.test"
SBOM = "usr/share/doc/snapfreeze/sbom.spdx.json"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
# What a kubelet mounts into a container.
RESOLV, HOSTS = "etc/resolv.conf", "etc/hosts"


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


class Container:
    """The image's files, read-only, with a folder of the host in them by its own name."""

    def __init__(self, image, scratch, emulator):
        self.root, self.shared = os.path.join(scratch, "root"), os.path.join(scratch, "shared")
        os.mkdir(self.shared)
        os.chmod(scratch, 0o755)
        image.unpack(self.root)
        os.makedirs(self.root + self.shared)
        for name, text in ((RESOLV, "nameserver 127.0.0.1\n"), (HOSTS, f"127.0.0.1 {BY_HOSTS}\n")):
            pathlib.Path(self.root, name).write_text(text, encoding="ascii")
        if emulator:
            shutil.copy(emulator, os.path.join(self.root, "emulator"))
        mount("--bind", self.root, self.root)
        mount("-o", "remount,bind,ro", self.root)
        mount("--bind", self.shared, self.root + self.shared)
        config = image.config["config"]
        self.start = ["/usr/bin/env", "-i", "/usr/sbin/chroot", "--userspec=" + config["User"], self.root]
        if emulator:
            self.start.append("/emulator")
        self.start += config["Entrypoint"]

    def trust(self, bundle):
        mount("--bind", bundle, os.path.join(self.root, BUNDLE))

    def run(self, *arguments):
        ended = subprocess.run([*self.start, *arguments], capture_output=True, text=True, timeout=WAIT, check=False)
        return ended.returncode, ended.stdout + ended.stderr


class ContainerCluster(Cluster):
    """Its webhook and sweeper run in the container. They find the API server by name, one by DNS and the other by /etc/hosts, and
    trust it as one of the image's CA certificates."""

    def __init__(self, container, build):
        super().__init__(build, container.shared)
        self._container = container
        self.status, self.processes = {}, {}

    def start(self, name, command):
        if command[0] != "snapfreeze":
            return super().start(name, command)
        for path in pathlib.Path(self.directory).iterdir():
            path.chmod(0o644)
        self.processes[name] = super().start(name, [*self._container.start, *command[1:]])
        return self.processes[name]

    def start_part(self, part, options, user=None, name=None):
        config = pathlib.Path(self.file(part + ".kubeconfig"))
        host = BY_DNS if part == "webhook" else BY_HOSTS
        text = re.sub(r"certificate-authority-data: .*", "tls-server-name: localhost", config.read_text(encoding="utf-8"))
        config.write_text(text.replace("//127.0.0.1", "//" + host), encoding="utf-8")
        process, self.status[part] = super().start_part(part, options, user, name)
        return process, self.status[part]


class Contents(unittest.TestCase):
    def test_it_says_what_it_is(self):
        config = IMAGE.config["config"]
        self.assertRegex(config["User"], r"^[1-9]\d*:[1-9]\d*$")
        self.assertIn("PATH=/usr/bin", config["Env"])  # for `kubectl exec ... -- snapfreeze`
        labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
        self.assertEqual(labels["title"], "snapfreeze")
        self.assertEqual(labels["licenses"], "Apache-2.0")
        self.assertRegex(labels["revision"], r"^[0-9a-f]{40}(-dirty)?$")
        self.assertEqual(labels["created"], IMAGE.config["created"])
        self.assertEqual(CONTAINER.run("version"), (0, f"snapfreeze {labels['version']}\n"))

    def test_nobody_but_root_could_change_it(self):
        for name, member in IMAGE.members().items():
            self.assertEqual((member.uid, member.gid), (0, 0), name)
            if not member.issym():
                self.assertEqual(member.mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWGRP | stat.S_IWOTH), 0, name)

    def test_nothing_else_can_be_started(self):
        programs = {name for name, member in IMAGE.members().items() if member.isfile() and member.mode & 0o111}
        self.assertIn("usr/bin/snapfreeze", programs)
        loader = re.compile(r"usr/lib\w*/ld-[^/]*")
        self.assertEqual([name for name in programs if not loader.fullmatch(name)], ["usr/bin/snapfreeze"])

    def test_it_is_small(self):
        debian = re.search(r'^VERSION_ID="(\d+)"$', pathlib.Path(CONTAINER.root, "etc/os-release").read_text(encoding="utf-8"), re.MULTILINE)
        self.assertLessEqual(IMAGE.size() / 2**20, LIMIT[debian[1]])

    def test_the_list_of_parts_is_true(self):
        with open(os.path.join(CONTAINER.root, SBOM), encoding="utf-8") as file:
            sbom = json.load(file)
        listed = {entry["fileName"].removeprefix("./"): {sum["algorithm"]: sum["checksumValue"] for sum in entry["checksums"]}
                  for entry in sbom["files"]}
        found = {name for name, member in IMAGE.members().items() if member.isfile()} - {SBOM}
        self.assertEqual(set(listed), found)
        for name, sums in listed.items():
            with open(os.path.join(CONTAINER.root, name), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), sums["SHA256"], name)
        versions = {package["name"]: package["versionInfo"] for package in sbom["packages"]}
        for path in pathlib.Path(CONTAINER.root, "var/lib/dpkg/status.d").iterdir():
            self.assertIn(f"\nVersion: {versions[path.name]}\n", path.read_text(encoding="utf-8"))
        known = {entry["SPDXID"] for entry in [sbom, *sbom["packages"], *sbom["files"]]}
        for relation in sbom["relationships"]:
            self.assertLessEqual({relation["spdxElementId"], relation["relatedSpdxElement"]}, known)


class Running(unittest.TestCase):
    def test_a_wrong_option_is_refused_by_name(self):
        code, said = CONTAINER.run("webhook", "--tls-cert", "any", "--tls-key", "any", "--no-such-option")
        self.assertNotEqual(code, 0)
        self.assertIn("--no-such-option", said)

    def test_a_backup(self):
        try:
            self._back_up()
        except BaseException:
            # They go with the container.
            for log in sorted(pathlib.Path(CONTAINER.shared).glob("*.log")):
                print(f"--- the end of {log.name}\n{log.read_text(encoding='utf-8')[-1000:]}", flush=True)
            raise

    def _back_up(self):
        names = NameServer(BY_DNS, "127.0.0.1")
        ca = os.path.join(CONTAINER.shared, "ca.crt")
        open(ca, "wb").close()
        CONTAINER.trust(ca)
        with ContainerCluster(CONTAINER, BUILD) as cluster:
            for part in ("webhook", "sweeper"):
                connection = http.client.HTTPConnection("127.0.0.1", cluster.status[part], timeout=WAIT)
                connection.request("GET", "/healthz")
                self.assertEqual(connection.getresponse().status, 200, part)
            answer = cluster.webhook_client().call("POST", "/mutate?timeout=10s", review(None, "foreign"))["response"]
            self.assertEqual((answer["uid"], answer["allowed"]), ("foreign", True))
            cluster.register_webhook()
            cluster.control("POST", "vms", {"ns": "vms", "name": "db", "disks": 2})
            cluster.api.call("POST", BACKUPS, {
                "apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup",
                "metadata": {"name": "nightly", "namespace": "vms"},
                "spec": {"type": "backup", "source": {"kind": "VirtualMachine", "name": "db"}}})
            # The latter on a machine too busy to answer Harvester within half a second.
            self.assertIn(self._verdict(cluster), [("filesystem", None), ("crash", "harvester-timer")])
            self.assertIn(BY_DNS, names.asked)
            self.assertNotIn(BY_HOSTS, names.asked)
            self._exactly_the_libraries(cluster.processes["webhook"].pid)

    def _verdict(self, cluster):
        for _ in range(WAIT * 10):
            annotations = cluster.api.call("GET", BACKUPS + "/nightly")["metadata"].get("annotations", {})
            if PREFIX + "consistency" in annotations:
                return annotations[PREFIX + "consistency"], annotations.get(PREFIX + "reason")
            time.sleep(0.1)
        return None

    def _exactly_the_libraries(self, pid):
        """After it has done its work, so that whatever it loads late has been."""
        with open(f"/proc/{pid}/maps", encoding="ascii") as file:
            loaded = {os.path.basename(path) for path in re.findall(r" (/\S+\.so[\d.]*)$", file.read(), re.MULTILINE)}
        shipped = {os.path.basename(name) for name in IMAGE.members() if re.search(r"\.so[\d.]*$", name)}
        self.assertEqual(loaded, shipped)


def bring_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("archive")
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--arch")
    parser.add_argument("--emulator")
    parser.add_argument("--inside", action="store_true", help="what this test starts itself with")
    return parser.parse_args()


if __name__ == "__main__":
    OPTIONS = options()
    if not OPTIONS.inside:
        # A network with nothing on it, so that the ports are free; mounts and processes that end with the test.
        os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-B",
                              *sys.argv, "--inside"])
    bring_loopback_up()
    IMAGE = Image(OPTIONS.archive, OPTIONS.arch)
    BUILD = os.path.abspath(OPTIONS.build)
    with tempfile.TemporaryDirectory() as directory:
        # Mounted for this alone, so that what is in it goes with the namespace.
        mount("-t", "tmpfs", "tmpfs", directory)
        CONTAINER = Container(IMAGE, directory, OPTIONS.emulator)
        outcome = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2, warnings="ignore").result
        print(f"{IMAGE.size() / 2**20:.2f} MiB uncompressed, {os.path.getsize(OPTIONS.archive) / 2**20:.2f} MiB as an archive", flush=True)
        subprocess.run(["umount", "--lazy", directory], check=True)
    sys.exit(not outcome.wasSuccessful())
