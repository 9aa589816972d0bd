"""proof.py TOOLS WORK: see scripts/proof. WORK has the admin's machine in root/, and the control plane in plane/."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent / "chart"))
import chart  # noqa: E402
import handed_out  # noqa: E402
from containers import REGISTRY, Machine  # noqa: E402
from page import Page  # noqa: E402
from plane import Plane, run, wait_for  # noqa: E402
from replicas import Replica, run_pod  # noqa: E402

PARTS = ("webhook", "sweeper")
ROLLOUT = {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 2,
           "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}]}


def say(what):
    print(f"proof: {what} ({time.strftime('%T')})", flush=True)


class Kubelet:
    """What follows when the chart's Deployments come or change: pods of the image that they name, and a status."""

    def __init__(self, machine, plane):
        self._machine, self._plane = machine, plane
        self.replicas, self.image = [], None

    def _revision(self):
        said = json.loads(self._plane.helm("status", chart.RELEASE, "--output", "json"))
        return said["version"], said["info"]["status"]

    def _image(self):
        (image,) = {self._plane.own("deployment", f"snapfreeze-{part}")["spec"]["template"]["spec"]["containers"][0]["image"] for part in PARTS}
        return image

    def follow(self, revision):
        """Pods of the Deployments as Helm's revision has them."""
        wait_for(f"revision {revision}", 120, lambda: self._revision() == (revision, "deployed"))
        self.stop()
        self.image = wait_for("the Deployments", 60, self._image)
        program = self._machine.program(self.image, self._plane.folder)
        # A loopback address is no endpoint of a Service, but a name is.
        self._plane.kubectl("-n", chart.NAMESPACE, "patch", "service", "snapfreeze-webhook", "--type=merge", "-p",
                            '{"spec": {"type": "ExternalName", "externalName": "localhost", "clusterIP": null, "clusterIPs": null}}')
        self._plane.kubectl("patch", "mutatingwebhookconfiguration", "snapfreeze", "--type=json", "-p",
                            f'[{{"op": "replace", "path": "/webhooks/0/clientConfig/service/port", "value": {self._plane.port + 8}}}]')
        port = self._plane.port
        self.replicas = [Replica(self._plane, "sweeper", i, program, (0, port + 15 + i)) for i in range(2)]
        self.replicas += [Replica(self._plane, "webhook", i, program, (port + 11 + i, port + 13 + i)) for i in range(2)]
        for replica in self.replicas:
            replica.start()
        for part in PARTS:
            status = ROLLOUT | {"observedGeneration": self._plane.own("deployment", f"snapfreeze-{part}")["metadata"]["generation"]}
            self._plane.kubectl("-n", chart.NAMESPACE, "patch", "deployment", f"snapfreeze-{part}", "--subresource=status", "--type=merge",
                                "-p", json.dumps({"status": status}))
        # A webhook looks every 2 s whether a sweeper leads.
        time.sleep(5)

    def execute(self, *command):
        """As `kubectl exec` in a sweeper's pod: the image's program, with that pod's account."""
        replica = self.replicas[0]
        return run(["env", f"SNAPFREEZE_KUBECONFIG={replica.folder}/kubeconfig", replica.program, *command])

    def drain(self):
        """The pod of the Job that an uninstall starts."""
        pod = wait_for("the Job's pod", 60, lambda: next(iter(self._plane.get(
            "-n", chart.NAMESPACE, "pods", "--selector=app.kubernetes.io/component=drain")["items"]), None))
        program = self._machine.program(pod["spec"]["containers"][0]["image"], self._plane.folder)
        status = run_pod(self._plane, program, pod["spec"], "drain")
        self._plane.kubectl("-n", chart.NAMESPACE, "patch", "pod", pod["metadata"]["name"], "--subresource=status", "--type=merge", "-p",
                            json.dumps({"status": {"phase": "Failed" if status else "Succeeded"}}))

    def stop(self):
        for replica in self.replicas:
            replica.stop()
        self.replicas = []

    def kill(self):
        for replica in self.replicas:
            replica.kill()


class Admin:
    """Types what the page says, in one shell's folder and with its variables."""

    def __init__(self, machine, page, variables):
        self._machine, self._page, self._variables = machine, page, variables

    def types(self, heading, holding, beside=None):
        """`beside` happens while the commands run."""
        commands = self._page.commands(heading, holding)
        say(f"{heading}: " + "; ".join(line for line in commands.splitlines() if line[:1].isalpha() and not line.startswith(("apiVersion", "kind"))))
        shell = subprocess.Popen(self._machine.inside(["bash", "-euo", "pipefail", "-c", f"cd /root/admin\n{self._variables}\n{commands}"]),
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        failed = []
        thread = threading.Thread(target=self._try, args=(beside, failed)) if beside else None
        if thread:
            thread.start()
        try:
            said = shell.communicate(timeout=300)[0]
        finally:
            shell.kill()
            if thread:
                thread.join()
        print("".join(f"    {line}\n" for line in said.splitlines()[-12:]), end="", flush=True)
        if failed:
            raise failed[0]
        if shell.returncode != 0:
            raise SystemExit(f"proof: the page's commands failed ({shell.returncode}): {heading}")
        return said

    @staticmethod
    def _try(action, failed):
        try:
            action()
        except BaseException as error:  # pylint: disable=broad-except; it is raised by who waits
            failed.append(error)


def prepare(plane, machine):
    """A namespace without what up.sh makes for other tests, the guest that the page has, and the admin's kubeconfig."""
    plane.kubectl("delete", "-f", "-", given=run([chart.ROOT / "test/real/plane/rbac.sh"]))
    plane.kubectl("-n", chart.NAMESPACE, "delete", "pods", "--all")
    plane.kubectl("apply", "-f", str(HERE / "kinds.yaml"))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "kubevirts.kubevirt.io", "settings.harvesterhci.io",
                  "addons.harvesterhci.io")
    plane.create({"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt", "namespace": "default"},
                  "status": {"observedKubeVirtVersion": "v1.6.0"}})
    plane.create({"apiVersion": "harvesterhci.io/v1beta1", "kind": "Setting", "metadata": {"name": "server-version"}, "value": "v1.6.0"})
    plane.control("vms", {"ns": "default", "name": "db1", "disks": 2, "running": True, "agent": True})
    (machine.root / "root/.kube").mkdir()
    (machine.root / "root/.kube/config").write_text(plane.kubectl("config", "view", "--raw", "--flatten"))


def expect_verdict(plane, name):
    found = wait_for(f"the verdict on {name}", 60, lambda: plane.verdict("default", name))
    if found != "filesystem":
        raise SystemExit(f"proof: backup {name} is '{found}', not 'filesystem'")
    say(f"backup {name} is 'filesystem'")


def install(admin, kubelet, plane, page):
    admin.types("2.", "skopeo copy --all")
    admin.types("3.", "helm install", lambda: kubelet.follow(1))
    if not kubelet.image.startswith(f"{REGISTRY}/snapfreeze@sha256:"):
        raise SystemExit(f"proof: the chart asks for {kubelet.image}, not for a digest at {REGISTRY}")
    admin.types("4.", "snapfreeze check")
    admin.types("5.", "kubectl apply")
    expect_verdict(plane, "first")
    # The page's own command needs a kubelet.
    command = page.commands("4.", "exec deploy/snapfreeze-sweeper").split(" -- snapfreeze ")[1].split()
    if "filesystem" not in (said := kubelet.execute(*command)):
        raise SystemExit(f"proof: in a sweeper's pod, snapfreeze {' '.join(command)} says:\n{said}")


def without_registry(admin, machine, digest):
    for image in machine.images():
        machine.run("ctr", "-n", "k8s.io", "images", "rm", image)
    (archive,) = (machine.root / "root/admin/dist").glob("*-image.tar")
    shutil.copy(archive, machine.root / "root/admin")
    admin.types("No network, no registry", "images import")
    with tarfile.open(archive) as tar:
        (index,) = json.load(tar.extractfile("index.json"))["manifests"]
    name = index["annotations"]["io.containerd.image.name"].rsplit(":", 1)[0]
    if (wanted := f"{name}@{digest}") not in machine.images():
        raise SystemExit(f"proof: containerd does not have {wanted}, only {machine.images()}")
    admin.types("No network, no registry", "renamed.tar")


def change(admin, kubelet, plane):
    admin.types("Upgrade", "helm upgrade", lambda: kubelet.follow(2))
    plane.back_up("default", "second", "db1")
    expect_verdict(plane, "second")
    admin.types("Back to an older version", "helm rollback")
    kubelet.follow(3)
    plane.back_up("default", "third", "db1")
    expect_verdict(plane, "third")


def check_the_rest(admin, machine, plane, digest):
    dist = machine.root / "root/admin/dist"
    admin.types("As an add-on of Harvester", "kubectl apply")
    handed_out.check_addon(machine, plane, dist, digest)
    handed_out.check_repository(dist)
    handed_out.check_krew(machine, dist, (dist / "VERSION").read_text().strip())
    say("the chart's index, the add-on and krew's manifest fit the rest")


def main():
    tools, work = sys.argv[1], pathlib.Path(sys.argv[2])
    plane = Plane(tools, work / "plane")
    machine = Machine(work / "root", work)
    page = Page(machine.root / "root/admin/docs/install.md")
    admin = Admin(machine, page, page.commands("1.", "version="))
    kubelet = Kubelet(machine, plane)
    with contextlib.ExitStack() as stack:
        stack.callback(machine.stop)
        stack.callback(kubelet.kill)
        prepare(plane, machine)
        machine.serve_registry()
        machine.start_containerd()
        install(admin, kubelet, plane, page)
        digest = kubelet.image.split("@")[1]
        without_registry(admin, machine, digest)
        change(admin, kubelet, plane)
        admin.types("Remove", "kubectl delete namespace", kubelet.drain)
        kubelet.kill()
        check_the_rest(admin, machine, plane, digest)
    say("all commands of the page did what it says")


main()
