"""Complete backups: Harvester's flow asks a real API server for snapshots, snapfreeze freezes and thaws the real guest by the
rig's freeze API, the rig's CSI driver cuts the real disks, and the verdict is the one that snapfreeze wrote."""

from control_plane import ChainError, ControlPlane, Snapfreeze, wait_until
from drivers import DISKS, HARVESTER, SNAPFREEZE, Verdict

NAMESPACE = "guests"
BACKUPS = f"/apis/harvesterhci.io/v1beta1/namespaces/{NAMESPACE}/virtualmachinebackups"
CLAIMS = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
ANNOTATION = "snapfreeze.harvesterhci.io/"
VERDICT_SECONDS = 330  # a freeze's longest T, a reboot of the guest before a cut, and time to say so


def verdict_of(backup):
    """What snapfreeze wrote on a VirtualMachineBackup, or None. Pure."""
    said = backup["metadata"].get("annotations", {})
    if ANNOTATION + "consistency" not in said:
        return None
    return Verdict(said[ANNOTATION + "consistency"], said.get(ANNOTATION + "reason", ""))


def failure_of(backup):
    """Harvester's own error, or None. Pure."""
    return backup.get("status", {}).get("error", {}).get("message")


class ChainDriver:
    """folder: not there yet. tools, snapfreeze: what scripts/guest has built."""

    def __init__(self, folder, tools, snapfreeze):
        self._plane = ControlPlane(folder, tools)
        self._snapfreeze = Snapfreeze(self._plane, snapfreeze)
        self._plane.api("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                                       "metadata": {"name": NAMESPACE}})
        self._taken = 0

    def take(self, guest, plan):
        """One backup of all disks: its Verdict, or None where nobody gives one."""
        self._switch(plan.who == SNAPFREEZE)
        # A VM of its own for each backup, all of them the same QEMU: what snapfreeze holds against the next backup of
        # one VM (cool-down, another backup's timer) has tests of its own.
        self._taken += 1
        name = f"vm-{self._taken}"
        self._make_vm(guest, name, plan.cuts)
        try:
            self._ask_for_backup(name, plan)
            verdict = self._await(guest, name, plan)
            # Neither snapfreeze nor Harvester's timer may leave it frozen.
            wait_until("the guest to be thawed", plan.timeout + 5, lambda: not guest.ask("status")["frozen"])
            return verdict
        finally:
            self._plane.rig(f"vms/{NAMESPACE}/{name}/stop", {})

    def close(self):
        self._snapfreeze.stop()
        self._plane.stop()

    def _switch(self, on):
        if on != self._snapfreeze.running():
            (self._snapfreeze.start if on else self._snapfreeze.stop)()

    def _make_vm(self, guest, name, cuts):
        self._plane.rig("vms", {"ns": NAMESPACE, "name": name, "disks": len(DISKS), "running": True,
                                "guest": str(guest.socket)})
        claims = [f"{name}-disk-{number}" for number in range(len(DISKS))]
        for claim, cut in zip(claims, cuts):
            self._plane.rig("storage", {"ns": NAMESPACE, "pvc": claim, "cut": int(cut * 1000)})
        for claim in claims:
            wait_until(f"claim {claim} to be bound", 30,
                       lambda path=f"{CLAIMS}/{claim}": self._plane.api("GET", path)["status"]["phase"] == "Bound")

    def _ask_for_backup(self, name, plan):
        self._plane.api("POST", BACKUPS, {
            "apiVersion": "harvesterhci.io/v1beta1", "kind": "VirtualMachineBackup", "metadata": {"name": name},
            "spec": {"type": "snapshot", "fsFreezeDeadline": f"{plan.timeout}s",
                     "source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": name}}})

    def _await(self, guest, name, plan):
        """Until every disk is cut and, if it runs, snapfreeze has said what the backup is worth."""
        def done():
            self._snapfreeze.running()
            backup = self._plane.api("GET", f"{BACKUPS}/{name}")
            if failure := failure_of(backup):
                raise ChainError(f"Harvester gave the backup up: {failure}")
            verdict = verdict_of(backup)
            finished = (verdict or plan.who == HARVESTER) and len(guest.ask("status")["cut"]) == len(DISKS)
            return (verdict,) if finished else None

        return wait_until(f"backup {name}", VERDICT_SECONDS, done)[0]
