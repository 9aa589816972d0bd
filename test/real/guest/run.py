#!/usr/bin/python3
"""Takes backups of a real guest under load, restores them, and compares what the oracle finds with what was expected.

Called by scripts/guest, which installs the packages.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile
import time

import build_image
import oracle
import picture
import planted
import report
from agent import AgentError
from chain import ChainDriver
from client import Guest, GuestError
from control_plane import ChainError
from drivers import HARVESTER, DirectDriver, Plan
from machine import HERE, MachineError, stop_all
from scenarios import CONSISTENT, SCENARIOS, Outcome, backups_of, broken_promises, frozen_intervals, held, held_after_cut

SETTLE = 1.0  # seconds of load between two backups
FAILURES = (MachineError, AgentError, GuestError, oracle.ToolError, build_image.BuildError, ChainError)


def say(text):
    print(text, flush=True)


class Run:
    """One call of the script: its scratch folder, its guests, its findings."""

    def __init__(self, arguments, scratch, judges):
        self._backups, self._out = arguments.backups, arguments.out
        self._scratch, self._judges = scratch, judges
        self._image = build_image.image(say)
        self._driver = self._make_driver(arguments)
        self._rows = {}  # scenario -> outcomes
        self._judging = []  # (future, function of its result)
        self._handed_in = []  # (outcome, images) that wait for a restore
        self._planted, self._planted_unseen = False, []
        self._figures = {}
        self.broken = []

    def all(self):
        try:
            for agent in (True, False):
                self._with_guest(agent)
        finally:
            self._driver.close()  # now, so that its processes do not slow the restoring
        for future, done in self._judging:
            done(future.result())
        if not self._planted:
            self.broken.append("oracle: no backup was frozen over all its cuts, so that no damage could be planted")
        self._report()

    def _make_driver(self, arguments):
        if arguments.driver == "direct":
            return DirectDriver()
        begun = time.monotonic()
        shutil.rmtree(self._out / "chain", ignore_errors=True)
        driver = ChainDriver(self._out / "chain", arguments.tools, arguments.snapfreeze)  # its logs are worth keeping
        say(f"the control plane is up after {time.monotonic() - begun:.1f} s")
        return driver

    def _with_guest(self, agent):
        guest = Guest(self._scratch / f"guest-{'agent' if agent else 'no-agent'}", "--image", str(self._image),
                      *([] if agent else ["--no-agent"]))
        try:
            status = guest.wait_ready()
            say(f"guest {'with' if agent else 'without'} agent is up after {status['boot_seconds']:.1f} s")
            if agent:
                self._figures["boot"] = status["boot_seconds"]
            for scenario in SCENARIOS:
                if scenario.agent == agent:
                    self._take_row(guest, scenario)
            self._judge_handed_in()
            if agent:
                self._take_picture(guest)
        finally:
            guest.stop()

    def _take_row(self, guest, scenario):
        begun = time.monotonic()
        guest.ask("load", on=scenario.load)
        outcomes = []
        for number in range(backups_of(scenario, self._backups)):
            time.sleep(SETTLE if scenario.load else 0.1)
            outcome, images = self._take(guest, scenario, number)
            outcomes.append(outcome)
            # Only a guest at rest leaves an image that damage can be planted into, and only after some load.
            if scenario is SCENARIOS[0] and not self._planted and outcome.held and 2 * len(outcomes) >= self._backups:
                self._planted = True
                self._judge_planted(images)
            self._hand_in(outcome, images)
        guest.ask("load", on=True)
        self._rows[scenario] = outcomes
        say(f"  {scenario.name}: {len(outcomes)} backups in {time.monotonic() - begun:.0f} s, "
            f"verdict {report.verdicts_of(outcomes)}")

    def _hand_in(self, outcome, images):
        """One fresh guest restores as many backups as it has room for, whatever their rows."""
        self._handed_in.append((outcome, images))
        if len(self._handed_in) == oracle.BACKUPS_A_BOOT:
            self._judge_handed_in()

    def _judge_handed_in(self):
        if self._handed_in:
            outcomes, images = zip(*self._handed_in)
            self._handed_in = []
            self._judge(images, lambda found: self._keep(outcomes, found))

    def _take(self, guest, scenario, number):
        folder = self._scratch / f"{SCENARIOS.index(scenario)}-{number}"
        folder.mkdir()
        plant = {}
        if scenario.fault:
            plant = {"before_cut": scenario.before_cut, "fault": scenario.fault, "pause": scenario.pause}
        guest.ask("begin", folder=str(folder), **plant)
        begun = time.monotonic()
        verdict = self._driver.take(guest, scenario.plan)
        seconds = time.monotonic() - begun
        truth = guest.ask("end")
        intervals = frozen_intervals(truth["events"])
        self._time_calls(truth["events"])
        if scenario.expected == CONSISTENT:
            self._figures.setdefault("hold", []).append(held_after_cut(truth["events"]))
        frozen_for = sum(end - begin for begin, end in intervals)
        return Outcome(verdict, held(truth["events"]), frozen_for, seconds), truth["images"]

    def _time_calls(self, events):
        for first, last, name in (("freeze-sent", "frozen", "freeze"), ("thaw-sent", "thawed", "thaw")):
            sent = [event["at"] for event in events if event["what"] == first]
            done = [event["at"] for event in events if event["what"] == last]
            self._figures.setdefault(name, []).extend(end - begin for begin, end in zip(sent, done))

    def _judge(self, images, done):
        """On a thread of its own: one guest restores while another is backed up."""
        scratch = self._scratch / f"restore-{len(self._judging)}"

        def work():
            begun = time.monotonic()
            found = oracle.judge(self._image, images, scratch)
            self._figures.setdefault("restore", []).append((time.monotonic() - begun) / len(images))
            for one in images:
                for path in one.values():
                    pathlib.Path(path).unlink()
            return found

        self._judging.append((self._judges.submit(work), done))

    def _keep(self, outcomes, judgements):
        for outcome, judgement in zip(outcomes, judgements):
            outcome.judgement = judgement

    def _judge_planted(self, good):
        def done(judgements):
            self._planted_unseen = planted.unseen(judgements)
            self.broken += [f"oracle: {text}" for text in self._planted_unseen]

        self._judge(planted.plant(good, self._scratch), done)

    def _take_picture(self, guest):
        """The same cuts twice, thawed at the last one and by Harvester's 10 s."""
        say("  one backup for the picture, and the same with Harvester's 10 s")
        concurrent.futures.wait([future for future, _ in self._judging])  # nothing else takes the guest's processor
        records = {}
        for title, plan, afterwards in (("With snapfreeze: thawed at the last cut", Plan(timeout=10), 11),
                                        ("Harvester alone: its timer of 10 s", Plan(who=HARVESTER, timeout=10), 2)):
            folder = self._scratch / f"picture-{len(records)}"
            folder.mkdir()
            guest.ask("begin", folder=str(folder))
            time.sleep(2)
            self._driver.take(guest, plan)
            time.sleep(afterwards)
            truth = guest.ask("end")
            records[title] = {**truth, "intervals": frozen_intervals(truth["events"])}
            shutil.rmtree(folder)
        self._out.mkdir(parents=True, exist_ok=True)
        (self._out / "backup.svg").write_text(picture.draw(records))

    def _report(self):
        for scenario, outcomes in self._rows.items():
            self.broken += [f"{scenario.name}: {text}" for text in broken_promises(scenario, outcomes)]
        lines = [*report.table(self._rows), "", *report.cross(self._rows), "", self._planted_line(), *self._figure_lines()]
        say("\n" + "\n".join(lines))
        self._out.mkdir(parents=True, exist_ok=True)
        (self._out / "report.txt").write_text("\n".join(lines + self.broken) + "\n")
        (self._out / "report.json").write_text(json.dumps(report.as_data(self._rows), indent=1))
        say(f"\nwritten: {self._out}/report.txt, report.json, backup.svg")

    def _planted_line(self):
        kinds = ", ".join(planted.PLANTED)
        found = "all" if self._planted and not self._planted_unseen else "NOT ALL"
        return f"Planted into good images: {kinds}: {found} found by the oracle."

    def _figure_lines(self):
        figures = self._figures
        return [f"From the last cut to the thaw's call {report.milliseconds(figures['hold'])}.",
                f"Boot {figures['boot']:.1f} s; freeze {report.milliseconds(figures['freeze'])}, thaw "
                f"{report.milliseconds(figures['thaw'])}; restoring and judging "
                f"{statistics.median(figures['restore']):.1f} s a backup."]


def at_least_one(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number of at least 1 is needed")
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/guest", description=__doc__.split("\n")[0])
    parser.add_argument("--backups", type=at_least_one, default=8, metavar="N",
                        help="of each scenario, at least 1 (default 8)")
    parser.add_argument("--driver", choices=("chain", "direct"), default="chain",
                        help="chain: snapfreeze on a real control plane; direct: the rig itself (default chain)")
    parser.add_argument("--tools", type=pathlib.Path, metavar="FOLDER", help="the control plane's programs and the rig")
    parser.add_argument("--snapfreeze", type=pathlib.Path, metavar="PROGRAM", help="what is tried")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parents[2] / "build/guest", metavar="FOLDER",
                        help="where report and picture go (default build/guest)")
    arguments = parser.parse_args()
    for needed in (arguments.tools, arguments.snapfreeze) if arguments.driver == "chain" else ():
        if not (needed and needed.exists()):
            parser.error("--driver chain needs --tools and --snapfreeze; scripts/guest builds and names them")
    return arguments


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("scripts/guest: stopped"))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="snapfreeze-guest-") as scratch:
        with concurrent.futures.ThreadPoolExecutor(1, "judge") as judges:
            try:
                run = Run(arguments, pathlib.Path(scratch), judges)
                run.all()
            except BaseException as error:
                judges.shutdown(wait=False, cancel_futures=True)
                stop_all()
                if isinstance(error, FAILURES):
                    sys.exit(f"scripts/guest: {error}")
                raise
    for text in run.broken:
        say(f"BROKEN: {text}")
    say(f"{'broken promises: ' + str(len(run.broken)) if run.broken else 'all as expected'}, "
        f"{time.monotonic() - begun:.0f} s")
    return 1 if run.broken else 0


if __name__ == "__main__":
    sys.exit(main())
