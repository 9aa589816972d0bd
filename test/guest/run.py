#!/usr/bin/python3
"""Takes backups of a real guest under load, restores them, and sets what was expected against what the oracle finds.

Called by scripts/guest, which looks after the packages.
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
from collections import Counter

import build_image
import oracle
import picture
import planted
from agent import AgentError
from client import Guest, GuestError
from drivers import DRIVERS, DirectDriver, Plan
from machine import HERE, MachineError, stop_all
from scenarios import SCENARIOS, Outcome, broken_promises, frozen_intervals, held

SETTLE = 1.0  # seconds of load between two backups
FAILURES = (MachineError, AgentError, GuestError, oracle.ToolError, build_image.BuildError)


def say(text):
    print(text, flush=True)


class Run:
    """One call of the script: its scratch folder, its guests, its findings."""

    def __init__(self, arguments, scratch, judges):
        self._backups, self._driver_name = arguments.backups, arguments.driver
        self._out = arguments.out
        self._scratch, self._judges = scratch, judges
        self._image = build_image.image(say)
        self._rows = {}  # scenario -> outcomes
        self._judging = []  # (future, function of its result)
        self._planted_unseen = None
        self._figures = {}
        self.broken = []

    def all(self):
        for agent in (True, False):
            self._with_guest(agent)
        for future, done in self._judging:
            done(future.result())
        self._report()

    def _with_guest(self, agent):
        guest = Guest(self._scratch / f"guest-{'agent' if agent else 'no-agent'}", "--image", str(self._image),
                      *([] if agent else ["--no-agent"]))
        try:
            status = guest.wait_ready()
            say(f"guest {'with' if agent else 'without'} agent is up after {status['boot_seconds']:.1f} s")
            if agent:
                self._figures["boot"] = status["boot_seconds"]
            driver = DRIVERS[self._driver_name](guest)
            try:
                for scenario in SCENARIOS:
                    if scenario.agent == agent:
                        self._take_row(guest, driver, scenario)
                if agent:
                    self._take_picture(guest, driver)
            finally:
                driver.close()
        finally:
            guest.stop()

    def _take_row(self, guest, driver, scenario):
        begun = time.monotonic()
        guest.ask("load", on=scenario.load)
        outcomes, images = [], []
        for number in range(self._backups):
            time.sleep(SETTLE if scenario.load else 0.1)
            outcome, files = self._take(guest, driver, scenario, number)
            outcomes.append(outcome)
            images.append(files)
        guest.ask("load", on=True)
        self._rows[scenario] = outcomes
        say(f"  {scenario.name}: {len(outcomes)} backups in {time.monotonic() - begun:.0f} s, being restored")
        if scenario is SCENARIOS[0]:
            self._judge_planted(images[-1])
        for first in range(0, len(images), oracle.BACKUPS_A_BOOT):
            span = slice(first, first + oracle.BACKUPS_A_BOOT)
            self._judge(images[span], lambda found, some=outcomes[span]: self._keep(some, found))

    def _take(self, guest, driver, scenario, number):
        folder = self._scratch / f"{SCENARIOS.index(scenario)}-{number}"
        folder.mkdir()
        plant = {"before_cut": scenario.before_cut, "fault": scenario.fault} if scenario.fault else {}
        guest.ask("begin", folder=str(folder), **plant)
        begun = time.monotonic()
        verdict = driver.take(scenario.plan)
        seconds = time.monotonic() - begun
        truth = guest.ask("end")
        intervals = frozen_intervals(truth["events"])
        self._time_calls(truth["events"])
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

    def _take_picture(self, guest, driver):
        """The same cuts twice, thawed at the last one and by Harvester's 10 s."""
        say("  one backup for the picture, and the same with Harvester's 10 s")
        concurrent.futures.wait([future for future, _ in self._judging])  # nothing else takes the guest's processor
        records = {}
        for title, taker, plan, afterwards in (
                ("Thawed at the last cut, as snapfreeze does", driver, Plan(), 11),
                ("Frozen for 10 s, as Harvester does", DirectDriver(guest), Plan(timeout=10, thaw=False), 2)):
            folder = self._scratch / f"picture-{len(records)}"
            folder.mkdir()
            guest.ask("begin", folder=str(folder))
            time.sleep(2)
            taker.take(plan)
            time.sleep(afterwards)
            truth = guest.ask("end")
            records[title] = {**truth, "intervals": frozen_intervals(truth["events"])}
            shutil.rmtree(folder)
        self._out.mkdir(parents=True, exist_ok=True)
        (self._out / "backup.svg").write_text(picture.draw(records))

    def _report(self):
        for scenario, outcomes in self._rows.items():
            self.broken += [f"{scenario.name}: {text}" for text in broken_promises(scenario, outcomes)]
        lines = [*table(self._rows), "", self._planted_line(), *self._figure_lines()]
        say("\n" + "\n".join(lines))
        self._out.mkdir(parents=True, exist_ok=True)
        (self._out / "report.txt").write_text("\n".join(lines + self.broken) + "\n")
        (self._out / "report.json").write_text(json.dumps(as_data(self._rows), indent=1))
        say(f"\nwritten: {self._out}/report.txt, report.json, backup.svg")

    def _planted_line(self):
        kinds = ", ".join(planted.PLANTED)
        return f"Planted into good images: {kinds}: {'NOT ALL' if self._planted_unseen else 'all'} found by the oracle."

    def _figure_lines(self):
        figures = self._figures
        return [f"Boot {figures['boot']:.1f} s; freeze {milliseconds(figures['freeze'])}, thaw "
                f"{milliseconds(figures['thaw'])}; restoring and judging "
                f"{statistics.median(figures['restore']):.1f} s a backup."]


def milliseconds(values):
    return f"{statistics.median(values) * 1000:.0f} ms (median of {len(values)}, most {max(values) * 1000:.0f})"


def verdicts_of(outcomes):
    counts = Counter(outcome.verdict for outcome in outcomes if outcome.verdict)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "-"


def why(outcomes):
    counts = Counter(kind for outcome in outcomes for kind in {problem.kind for problem in outcome.judgement.problems})
    return ", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "-"


def table(rows):
    heads = ("scenario", "expected", "verdict", "held", "frozen s", "consistent", "contents whole", "the oracle found")
    cells = [heads]
    for scenario, outcomes in rows.items():
        of = len(outcomes)
        cells.append((scenario.name, scenario.expected, verdicts_of(outcomes), f"{sum(o.held for o in outcomes)}/{of}",
                      f"{statistics.median(o.frozen_for for o in outcomes):.2f}",
                      f"{sum(o.judgement.consistent for o in outcomes)}/{of}",
                      f"{sum(o.judgement.contents_whole for o in outcomes)}/{of}", why(outcomes)))
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def as_data(rows):
    return [{"scenario": scenario.name, "expected": scenario.expected,
             "backups": [{"verdict": o.verdict, "held": o.held, "frozen_for": round(o.frozen_for, 4),
                          "seconds": round(o.seconds, 3), "consistent": o.judgement.consistent,
                          "contents_whole": o.judgement.contents_whole,
                          "problems": [f"{p.kind}: {p.text}" for p in o.judgement.problems]} for o in outcomes]}
            for scenario, outcomes in rows.items()]


def at_least_one(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number of at least 1 is needed")
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/guest", description=__doc__.split("\n")[0])
    parser.add_argument("--backups", type=at_least_one, default=8, metavar="N",
                        help="of each scenario, at least 1 (default 8)")
    parser.add_argument("--driver", choices=sorted(DRIVERS), default="direct",
                        help="who freezes and thaws (default direct)")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent.parent / "build/guest", metavar="FOLDER",
                        help="where report and picture go (default build/guest)")
    return parser.parse_args()


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
