"""Who freezes, cuts and thaws during one backup. A driver takes backups of a guest (client.Guest)."""
import time
from dataclasses import dataclass

DISKS = ("A", "B", "C")
SNAPFREEZE, HARVESTER = "snapfreeze", "Harvester alone"


@dataclass(frozen=True)
class Plan:
    """Who looks after the freeze. Harvester never thaws: its timer does.

    timeout: T in whole seconds, for Harvester that of its timer. cuts: when each disk is cut, seconds from the begin.
    """
    who: str = SNAPFREEZE
    timeout: int = 30
    cuts: tuple = (0.1, 0.4, 0.7)


@dataclass(frozen=True)
class Verdict:
    """consistency: `filesystem`, `offline` or `crash`; reason: why it is `crash`."""
    consistency: str
    reason: str = ""


class DirectDriver:
    """The rig itself freezes, cuts, and thaws at the last cut. It proves the rig and gives no verdict."""

    def take(self, guest, plan):
        """One backup of all disks: its Verdict, or None where nobody gives one."""
        agent = guest.ask("agent")["agent"]
        if agent:
            guest.ask("freeze", timeout=plan.timeout)
        begun = time.monotonic()
        for disk, at in zip(DISKS, plan.cuts):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            guest.ask("cut", disk=disk)
        if agent and plan.who == SNAPFREEZE:
            guest.ask("thaw")
        elif agent:
            time.sleep(max(0.0, begun + plan.timeout + 0.5 - time.monotonic()))

    def close(self):
        """What the driver has started ends."""
