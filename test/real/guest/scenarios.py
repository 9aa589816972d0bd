"""The rows of the table: what is done to the guest, and the result that must follow. Pure."""
from dataclasses import dataclass

from drivers import HARVESTER, Plan

CONSISTENT, UNAFFECTED, LAPSE, CONTROL = "consistent", "unaffected", "lapse", "control"
DOUBTFUL = "doubtful"
FILESYSTEM, CRASH = "filesystem", "crash"

# KubeVirt asks an agent every 5 s whether it is frozen: a thaw from inside the guest shows up only between two of these.
POLL = 5.7


@dataclass(frozen=True)
class Scenario:
    """expected:
    consistent  every backup passes the oracle but those that are called `crash`, which must be the fewer
    doubtful    whether it stays frozen depends on who notices what; whatever the verdict, it must be true
    unaffected  every backup has whole contents of one moment (its journals may want a replay); the verdict is `crash`
    lapse       the guest was not frozen over all cuts, the oracle sees it at least once; the verdict is `crash`
    control     nobody froze it long enough, under load: the oracle must fail at least once, or it proves nothing
    """
    name: str
    expected: str
    plan: Plan = Plan()
    agent: bool = True
    load: bool = True
    before_cut: int = 0  # the fault comes before this cut, from 1
    fault: str = ""
    pause: float = 0  # seconds between the fault and the cut
    share: int = 1  # one in so many of the backups asked for is taken, where few tell as much as many


SCENARIOS = (
    Scenario("frozen over all cuts", CONSISTENT),
    Scenario("frozen, no load", CONSISTENT, load=False, share=4),
    Scenario("agent killed mid-freeze", DOUBTFUL, before_cut=3, fault="kill-agent", share=4),
    Scenario("T shorter than the cuts", LAPSE, Plan(timeout=5, cuts=(0.1, 0.4, 6.5)), share=4),
    Scenario("thawed before the last cut", LAPSE, Plan(timeout=30, cuts=(0.1, 0.4, POLL)), before_cut=3, fault="thaw",
             pause=POLL, share=4),
    Scenario("rebooted mid-freeze", LAPSE, Plan(timeout=30), before_cut=3, fault="reboot", share=4),
    Scenario("Harvester alone, its 1 s", CONTROL, Plan(who=HARVESTER, timeout=1, cuts=(0.1, 0.9, 1.7)), share=2),
    Scenario("no agent", CONTROL, agent=False, share=2),
    Scenario("no agent, no load", UNAFFECTED, agent=False, load=False, share=4),
)


@dataclass
class Outcome:
    """Of one backup. verdict: drivers.Verdict or None. held: it was frozen over all cuts, by the agent's replies."""
    verdict: object
    held: bool
    frozen_for: float
    seconds: float
    judgement: object = None


def backups_of(scenario, asked):
    return -(-asked // scenario.share)


def frozen_intervals(events):
    """Surely frozen: from the agent's reply to a freeze until a thaw is sent, or the guest is reset."""
    intervals, since = [], None
    for event in events:
        if event["what"] == "frozen":
            since = event["at"]
        elif event["what"] in ("thaw-sent", "reset") and since is not None:
            intervals.append((since, event["at"]))
            since = None
    return intervals + ([(since, float("inf"))] if since is not None else [])


def held(events):
    """Whether one freeze covers every cut."""
    cuts = [event for event in events if event["what"] == "cut"]
    return any(all(begin <= cut["sent"] and cut["at"] <= end for cut in cuts)
               for begin, end in frozen_intervals(events))


def held_after_cut(events):
    """Seconds from the last cut to the call that thaws; infinite when none came."""
    last = max(event["at"] for event in events if event["what"] == "cut")
    return min((event["at"] for event in events if event["what"] == "thaw-sent" and event["at"] > last),
               default=float("inf")) - last


def broken_promises(scenario, outcomes):
    """What must not be, as sentences; empty when all is well."""
    if scenario.expected == CONSISTENT:
        return broken_consistency(outcomes) + list(wrong_verdicts(scenario, outcomes))
    passed = [outcome.judgement.consistent for outcome in outcomes]
    whole = [outcome.judgement.contents_whole for outcome in outcomes]
    held_all = [outcome.held for outcome in outcomes]
    broken = []
    if scenario.expected == UNAFFECTED and not all(whole):
        broken.append(f"{whole.count(False)} of {len(whole)} restored backups are damaged, without any load")
    if scenario.expected == LAPSE and any(held_all):
        broken.append("the planted lapse did not happen: the guest was frozen over all cuts")
    if scenario.expected == LAPSE and all(passed):
        broken.append("the oracle did not see the lapse once")
    if scenario.expected == CONTROL and all(whole):
        broken.append("the oracle found no damage: this run proves nothing")
    return broken + list(wrong_verdicts(scenario, outcomes))


def broken_consistency(outcomes):
    """On a machine that is too slow snapfreeze doubts a backup, rightly or from caution; that is no broken promise."""
    doubted = [outcome for outcome in outcomes if outcome.verdict and outcome.verdict.consistency == CRASH]
    others = [outcome for outcome in outcomes if not outcome.verdict or outcome.verdict.consistency != CRASH]
    broken = []
    if len(doubted) >= len(others):
        broken.append(f"{len(doubted)} of {len(outcomes)} backups are called `crash`, though nothing was planted")
    if not all(outcome.held for outcome in others):
        broken.append("the guest was not frozen over all cuts")
    if failed := [outcome for outcome in others if not outcome.judgement.consistent]:
        broken.append(f"{len(failed)} of {len(others)} restored backups are not consistent")
    return broken


def wrong_verdicts(scenario, outcomes):
    """By whoever gave one."""
    must_not_be = {CONSISTENT: ("offline",), DOUBTFUL: ("offline",)}.get(scenario.expected, ("offline", FILESYSTEM))
    for outcome in outcomes:
        if not outcome.verdict:
            continue
        said = f"`{outcome.verdict.consistency}`" + f" ({outcome.verdict.reason})" * bool(outcome.verdict.reason)
        if outcome.verdict.consistency == FILESYSTEM and not outcome.judgement.consistent:
            yield f"the verdict is {said}, and the restored backup is not consistent"
        if outcome.verdict.consistency in must_not_be:
            yield f"the verdict is {said}, which this cannot be"
