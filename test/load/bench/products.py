"""The programs that race.py compares, started on a real control plane and stopped by pid."""
import os
import shutil

from cluster import Process, await_ready, reserve_port


class Product:
    """A webhook and a sweeper."""

    name = ""
    match_conditions = None  # of the registration; None: as the chart has them

    def __init__(self, program):
        self._program = os.path.abspath(program)
        self._parts, self.ready, self.webhook_port = {}, {}, 0

    def size(self):
        return os.path.getsize(self._program) / 2**20

    def start(self, plane):
        self.ready, self.webhook_port = {}, reserve_port()
        for part in ("sweeper", "webhook"):
            status = reserve_port()
            command = [self._program, part, *self.options(plane, part, status)]
            self._parts[part] = Process(f"{self.name} {part}", command, plane.file(f"race-{self.name}-{part}.log"))
            self.ready[part] = await_ready(self._parts[part], status)

    def stop(self):
        for part in self._parts.values():
            part.stop()
        self._parts = {}

    def memory(self, part):
        return self._parts[part].memory()[0]

    def cpu_seconds(self, part):
        return self._parts[part].cpu_seconds()

    def options(self, plane, part, status):
        raise NotImplementedError


class Snapfreeze(Product):
    """As installed by the chart, with its rights."""

    name = "snapfreeze"

    def __init__(self, build):
        super().__init__(os.path.join(build, "snapfreeze"))

    def options(self, plane, part, status):
        common = ["--kubeconfig", plane.file(f"{part}-0.kubeconfig"), "--namespace", "snapfreeze-system", "--identity",
                  f"race-{part}", "--status-listen", f"127.0.0.1:{status}"]
        if part == "sweeper":
            return [*common, "--certificates-from", "elsewhere"]
        return [*common, "--listen", f"127.0.0.1:{self.webhook_port}", "--tls-cert", plane.file("pki/webhook.crt"),
                "--tls-key", plane.file("pki/webhook.key")]


class Peer(Product):
    """Another program of the same job, with all rights: `webhook --kubeconfig F --cert-dir D --port P --metrics-bind A
    --health A` serves /mutate with D/tls.crt and D/tls.key, `sweeper` thaws; both say on /readyz of A when they are ready."""

    name = "peer"
    match_conditions = [{"name": "backup", "expression": "has(object.metadata.ownerReferences) && "
                         "object.metadata.ownerReferences.exists(o, o.kind == 'VirtualMachineBackup')"}]

    def options(self, plane, part, status):
        common = ["--kubeconfig", plane.file("admin.kubeconfig"), "--metrics-bind", "0", "--health", f"127.0.0.1:{status}"]
        if part == "sweeper":
            return common
        folder = plane.file("peer-pki")
        os.makedirs(folder, exist_ok=True)
        for ending in ("crt", "key"):
            shutil.copy(plane.file(f"pki/webhook.{ending}"), os.path.join(folder, f"tls.{ending}"))
        return [*common, "--cert-dir", folder, "--port", str(self.webhook_port)]
