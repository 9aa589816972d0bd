"""A real control plane, started by test/real/plane/up.sh, and the rig beside it."""

import json
import pathlib
import ssl
import subprocess
import time
import urllib.request

import yaml

import chart


def run(command, given=None):
    """stdout; what the command says on stderr becomes the error."""
    done = subprocess.run([str(part) for part in command], input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(part) for part in command[:8])}: {done.stderr.strip()}")
    return done.stdout


def wait_for(what, seconds, condition):
    """What the condition returns when it is true. An error of the API server is no answer yet."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if result := condition():
                return result
        except (RuntimeError, OSError) as error:
            last = error
        time.sleep(0.2)
    raise RuntimeError(f"{what}: not within {seconds} s" + (f"; {last}" if last else ""))


def own_certificate(folder):
    """A CA and a certificate of it, as options of `kubectl create secret`."""
    ca, key, request, certificate = (folder / f"company{end}" for end in (".ca", ".key", ".csr", ".crt"))
    name = f"snapfreeze-webhook.{chart.NAMESPACE}.svc"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(["openssl", "req", "-x509", *curve, "-days", "2", "-subj", "/CN=company", "-keyout", f"{ca}.key", "-out", ca])
    run(["openssl", "req", *curve, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", request])
    run(["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", f"{ca}.key", "-days", "2", "-copy_extensions", "copy", "-out", certificate])
    return [f"--from-file=tls.crt={certificate}", f"--from-file=tls.key={key}", f"--from-file=ca.crt={ca}"]


class Plane:
    def __init__(self, tools, folder):
        self.folder = pathlib.Path(folder)
        self.tools = pathlib.Path(tools)
        self.port = int((self.folder / "port").read_text())
        self.config = self.folder / "admin.kubeconfig"

    def kubectl(self, *arguments, given=None):
        return run([self.tools / "kubectl", "--kubeconfig", self.config, *arguments], given)

    def get(self, *what):
        return json.loads(self.kubectl("get", *what, "-o", "json"))

    def own(self, kind, name):
        """An object of snapfreeze's, in its namespace if it has one."""
        return self.get("-n", chart.NAMESPACE, kind, name)

    def helm(self, *arguments):
        return run([self.tools / "helm", "--kubeconfig", self.config, "--namespace", chart.NAMESPACE, *arguments])

    def create(self, thing, *options):
        return self.kubectl("create", "-f", "-", *options, given=json.dumps(thing))

    def control(self, path, body=None):
        """Tells the rig what happens to guests and disks, or asks it."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.port + 6}/sandbox/{path}", body and json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cafile=self.folder / "pki/ca.crt")) as reply:
            return json.load(reply)

    def back_up(self, namespace, name, vm):
        self.create({"apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "metadata": {"name": name, "namespace": namespace},
                     "spec": {"type": "backup", "source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": vm}}})

    def verdict(self, namespace, name):
        notes = self.get("-n", namespace, "vmbackup", name)["metadata"].get("annotations", {})
        verdict = notes.get("snapfreeze.harvesterhci.io/consistency", "")
        return f"{verdict} {notes.get('snapfreeze.harvesterhci.io/reason', '')}".strip()

    def inventory(self):
        """Every object there is, but Events, and what comes and goes by itself."""
        kinds = self.kubectl("api-resources", "--verbs=list,create", "-o", "name").split()
        kinds = [kind for kind in kinds if kind.split(".")[0] not in ("events", "componentstatuses")]
        listed = yaml.safe_load(self.kubectl("get", "-A", "--ignore-not-found", ",".join(kinds), "-o", "json")) or {"items": []}
        return {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in listed["items"]}
