"""Who freezes, cuts and thaws during one backup. A driver is given a guest (client.Guest) and takes backups of it."""
import time
from dataclasses import dataclass

DISKS = ("A", "B", "C")


@dataclass(frozen=True)
class Plan:
    """freeze: whether anyone freezes at all. timeout: T, whole seconds. gap: seconds from one cut to the next.
    thaw: thawed at the last cut, or left to the timer, as Harvester does."""
    freeze: bool = True
    timeout: int = 30
    gap: float = 0.3
    thaw: bool = True


class DirectDriver:
    """The rig itself, as snapfreeze means it: freeze, cut after cut, thaw at the last one. Gives no verdict."""

    def __init__(self, guest):
        self._guest = guest

    def take(self, plan):
        """One backup of all disks; its verdict (`filesystem`, `offline`, `crash`), or None where nobody says one."""
        if plan.freeze:
            self._guest.ask("freeze", timeout=plan.timeout)
        for number, disk in enumerate(DISKS):
            if number:
                time.sleep(plan.gap)
            self._guest.ask("cut", disk=disk)
        if plan.freeze and plan.thaw:
            self._guest.ask("thaw")
        elif plan.freeze:
            time.sleep(plan.timeout + 1)
        return None

    def close(self):
        """What the driver has started ends."""


DRIVERS = {"direct": DirectDriver}
