"""The run's findings as tables and as data. Pure."""
import statistics
from collections import Counter


def milliseconds(values):
    return f"{statistics.median(values) * 1000:.0f} ms (median of {len(values)}, most {max(values) * 1000:.0f})"


def counted(texts):
    return ", ".join(f"{count} {text}" for text, count in Counter(texts).most_common()) or "-"


def said(outcome):
    """The verdict with its reason; "-" where nobody gave one."""
    verdict = outcome.verdict
    return "-" if not verdict else verdict.consistency + (f": {verdict.reason}" if verdict.reason else "")


def verdicts_of(outcomes):
    return counted(said(outcome) for outcome in outcomes if outcome.verdict)


def why(outcomes):
    return counted(kind for outcome in outcomes for kind in {problem.kind for problem in outcome.judgement.problems})


def aligned(cells):
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def table(rows):
    """rows: Scenario -> outcomes."""
    cells = [("scenario", "expected", "verdict", "held", "frozen s", "consistent", "contents whole", "the oracle found")]
    for scenario, outcomes in rows.items():
        of = len(outcomes)
        cells.append((scenario.name, scenario.expected, verdicts_of(outcomes), f"{sum(o.held for o in outcomes)}/{of}",
                      f"{statistics.median(o.frozen_for for o in outcomes):.2f}",
                      f"{sum(o.judgement.consistent for o in outcomes)}/{of}",
                      f"{sum(o.judgement.contents_whole for o in outcomes)}/{of}", why(outcomes)))
    return aligned(cells)


def cross(rows):
    """Verdict against oracle, over all rows."""
    cells = [("verdict", "consistent", "not consistent")]
    outcomes = [outcome for row in rows.values() for outcome in row]
    for verdict in sorted({outcome.verdict.consistency if outcome.verdict else "-" for outcome in outcomes}):
        passed = [outcome.judgement.consistent for outcome in outcomes
                  if (outcome.verdict.consistency if outcome.verdict else "-") == verdict]
        cells.append((verdict, str(passed.count(True)), str(passed.count(False))))
    return aligned(cells)


def as_data(rows):
    return [{"scenario": scenario.name, "expected": scenario.expected,
             "backups": [{"verdict": said(o), "held": o.held, "frozen_for": round(o.frozen_for, 4),
                          "seconds": round(o.seconds, 3), "consistent": o.judgement.consistent,
                          "contents_whole": o.judgement.contents_whole,
                          "problems": [f"{p.kind}: {p.text}" for p in o.judgement.problems]} for o in outcomes]}
            for scenario, outcomes in rows.items()]
