"""The rows of the table: what is done to the guest, and what must come of it. Pure."""
from dataclasses import dataclass

from drivers import Plan

CONSISTENT, UNAFFECTED, LAPSE, CONTROL = "consistent", "unaffected", "lapse", "control"


@dataclass(frozen=True)
class Scenario:
    """expected:
    consistent  every backup passes the oracle
    unaffected  every backup has whole contents of one moment (its journals may want a replay)
    lapse       the guest was not frozen over all cuts, and the oracle sees it at least once
    control     nobody froze under load: the oracle must fail at least once, or it proves nothing
    """
    name: str
    expected: str
    plan: Plan = Plan()
    agent: bool = True
    load: bool = True
    before_cut: int = 0  # the fault comes before this cut, from 1
    fault: str = ""


SCENARIOS = (
    Scenario("frozen over all cuts", CONSISTENT),
    Scenario("agent killed mid-freeze", CONSISTENT, before_cut=3, fault="kill-agent"),
    Scenario("T shorter than the cuts", LAPSE, Plan(timeout=1, gap=0.8)),
    Scenario("thawed before the last cut", LAPSE, before_cut=3, fault="thaw"),
    Scenario("rebooted mid-freeze", LAPSE, before_cut=3, fault="reboot"),
    Scenario("frozen, no load", CONSISTENT, load=False),
    Scenario("no freeze (control)", CONTROL, Plan(freeze=False), agent=False),
    Scenario("no freeze, no load", UNAFFECTED, Plan(freeze=False), agent=False, load=False),
)


@dataclass
class Outcome:
    """Of one backup. held: the guest was frozen over all cuts, by the agent's replies."""
    verdict: str
    held: bool
    frozen_for: float
    seconds: float
    judgement: object = None


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


def broken_promises(scenario, outcomes):
    """What must not be, as sentences; empty when all is well."""
    passed = [outcome.judgement.consistent for outcome in outcomes]
    whole = [outcome.judgement.contents_whole for outcome in outcomes]
    held_all = [outcome.held for outcome in outcomes]
    broken = []
    if scenario.expected == CONSISTENT and not all(held_all):
        broken.append("the guest was not frozen over all cuts")
    if scenario.expected == CONSISTENT and not all(passed):
        broken.append(f"{passed.count(False)} of {len(passed)} restored backups are not consistent")
    if scenario.expected == UNAFFECTED and not all(whole):
        broken.append(f"{whole.count(False)} of {len(whole)} restored backups are damaged, without any load")
    if scenario.expected == LAPSE and any(held_all):
        broken.append("the planted lapse did not happen: the guest was frozen over all cuts")
    if scenario.expected == LAPSE and all(passed):
        broken.append("the oracle did not see the lapse once")
    if scenario.expected == CONTROL and all(whole):
        broken.append("the oracle found no damage: this run proves nothing")
    for outcome in outcomes:
        if outcome.verdict == "filesystem" and not outcome.judgement.consistent:
            broken.append("the verdict is `filesystem`, and the restored backup is not consistent")
        if outcome.verdict not in (None, "crash") and scenario.expected == LAPSE:
            broken.append(f"the verdict is `{outcome.verdict}` in spite of the lapse")
    return broken
