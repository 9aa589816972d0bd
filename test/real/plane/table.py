#!/usr/bin/env python3
"""table.py REPORT...: prints scenarios and levels side by side, from the reports that scenario_runner --report wrote."""
import sys


def main():
    levels, outcomes, reasons = [], {}, []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as report:
            for line in report:
                level, scenario, outcome, why = line.rstrip("\n").split("\t", 3)
                if level not in levels:
                    levels.append(level)
                outcomes.setdefault(scenario, {})[level] = outcome
                if outcome != "passed":
                    reasons.append(f"{scenario} on {level}: {outcome}: {why}")
    width = max(map(len, outcomes), default=8)
    print(f"\n{'scenario':{width}}  " + "  ".join(f"{level:7}" for level in levels))
    for scenario, by_level in sorted(outcomes.items()):
        print(f"{scenario:{width}}  " + "  ".join(f"{by_level.get(level, '-'):7}" for level in levels))
    for outcome in ("passed", "FAILED", "cannot"):
        counts = [sum(by_level.get(level) == outcome for by_level in outcomes.values()) for level in levels]
        print(f"{outcome:{width}}  " + "  ".join(f"{count:<7}" for count in counts))
    print("\n" + "\n".join(reasons) + "\n" if reasons else "")


if __name__ == "__main__":
    main()
