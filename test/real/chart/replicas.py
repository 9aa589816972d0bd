"""Does what a kubelet would do for the chart's Deployments: makes pods, as the API server accepts them, and a process for each, with
the container's arguments, the account's token and the mounted Secrets. Only the ports differ, as all share one host."""

import base64
import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

import chart
from plane import wait_for


class Replica:
    def __init__(self, plane, part, number, program, ports):
        self.plane, self.part, self.program = plane, part, program
        self.name = f"snapfreeze-{part}-{number}"
        self.https, self.status = ports
        self.folder = pathlib.Path(plane.folder / self.name)
        self.folder.mkdir(exist_ok=True)
        self.process, self.grace = None, 0

    def start(self):
        spec = self._make_pod()
        self.grace = spec["terminationGracePeriodSeconds"]
        container = spec["containers"][0]
        arguments = [self._mounted(spec, container, argument) for argument in container["args"]]
        log = open(self.plane.folder / f"{self.name}.log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            [self.program, *arguments], stdout=log, stderr=log,
            env={**os.environ, "SNAPFREEZE_KUBECONFIG": str(self._kubeconfig()), "SNAPFREEZE_IDENTITY": self.name,
                 "SNAPFREEZE_LISTEN": f"127.0.0.1:{self.https}", "SNAPFREEZE_STATUS_LISTEN": f"127.0.0.1:{self.status}"})
        path = container["readinessProbe"]["httpGet"]["path"]
        wait_for(f"{self.name} is ready", 30, lambda: self._answers(path))

    def stop(self):
        """As a kubelet does; the grace that the Deployment gives must do."""
        if not self.process:
            return
        self.process.terminate()
        try:
            status = self.process.wait(self.grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError(f"{self.name} did not end within its grace of {self.grace} s") from None
        self.process = None
        if status != 0:
            raise RuntimeError(f"{self.name} ended with {status}")
        self.plane.kubectl("-n", chart.NAMESPACE, "delete", "pod", self.name)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _make_pod(self):
        template = self.plane.own("deployment", f"snapfreeze-{self.part}")["spec"]["template"]
        self.plane.create({"apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
                           "metadata": {**template["metadata"], "name": self.name, "namespace": chart.NAMESPACE}})
        return template["spec"]

    def _kubeconfig(self):
        account = self.plane.own("deployment", f"snapfreeze-{self.part}")["spec"]["template"]["spec"]["serviceAccountName"]
        token = self.folder / "token"
        token.write_text(self.plane.kubectl("-n", chart.NAMESPACE, "create", "token", account, "--bound-object-kind=Pod",
                                            f"--bound-object-name={self.name}"))
        config = json.loads(self.plane.kubectl("config", "view", "--raw", "-o", "json"))
        config["users"][0]["user"] = {"tokenFile": str(token)}
        file = self.folder / "kubeconfig"
        file.write_text(json.dumps(config))
        return file

    def _mounted(self, spec, container, argument):
        """The argument, with a mounted file's path replaced by that of a copy."""
        for mount in container.get("volumeMounts", []):
            prefix = f"={mount['mountPath']}/"
            if prefix not in argument:
                continue
            volume = next(v for v in spec["volumes"] if v["name"] == mount["name"])
            key = argument.split(prefix)[1]
            data = wait_for(f"{key} in Secret {volume['secret']['secretName']}", 30,
                            lambda: self.plane.own("secret", volume["secret"]["secretName"]).get("data", {}).get(key))
            (self.folder / key).write_bytes(base64.b64decode(data))
            return argument.replace(prefix, f"={self.folder}/")
        return argument

    def _answers(self, path):
        if self.process.poll() is not None:
            raise SystemExit(f"chart: {self.name} ended with {self.process.returncode}; see its log")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.status}{path}", timeout=5) as reply:
                return reply.status == 200
        except urllib.error.HTTPError as error:
            raise OSError(error.read().decode()) from None


def run_pod(plane, program, spec, name):
    """Exit status of a hook's container, run with its arguments and account."""
    config = json.loads(plane.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": plane.kubectl("-n", chart.NAMESPACE, "create", "token", spec["serviceAccountName"])}
    file = plane.folder / f"{name}.kubeconfig"
    file.write_text(json.dumps(config))
    with open(plane.folder / f"{name}.log", "a", encoding="utf-8") as log:
        return subprocess.run([program, *spec["containers"][0]["args"]], stdout=log, stderr=log, check=False,
                              env={**os.environ, "SNAPFREEZE_KUBECONFIG": str(file)}).returncode


def helm_test(plane, program):
    """Exit status of the pod that `helm test` makes."""
    hook = next(o for o in chart.objects(plane.helm("get", "hooks", chart.RELEASE)) if o["kind"] == "Pod")
    plane.create({**hook, "metadata": {**hook["metadata"], "namespace": chart.NAMESPACE}}, "--dry-run=server")
    return run_pod(plane, program, hook["spec"], "helm-test")


def uninstall(plane, program):
    """`helm uninstall`, whose Job's pod is run here meanwhile."""
    helm = subprocess.Popen([plane.tools / "helm", "--kubeconfig", plane.config, "--namespace", chart.NAMESPACE, "uninstall", chart.RELEASE,
                             "--wait"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        pod = wait_for("the Job's pod", 30, lambda: next(iter(plane.get(
            "-n", chart.NAMESPACE, "pods", "--selector=app.kubernetes.io/component=drain")["items"]), None))
        status = run_pod(plane, program, pod["spec"], "drain")
        plane.kubectl("-n", chart.NAMESPACE, "patch", "pod", pod["metadata"]["name"], "--subresource=status", "--type=merge", "-p",
                      json.dumps({"status": {"phase": "Failed" if status else "Succeeded"}}))
        said = helm.communicate(timeout=60)[0]
        if helm.returncode != 0:
            raise RuntimeError(f"helm uninstall: {said.strip()}")
    finally:
        helm.kill()
