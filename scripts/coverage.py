"""coverage.py BUILD FOLDER...: how many lines of these folders a program of the preset coverage has reached, and those that it has not:
one run of lines a line, with the text of the first one. What the simulation replaces (EDGES) is left out. Reads what gcov says of
each .gcda file below BUILD."""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys


# Threads, sockets, and what puts a process together: the simulation has fibers, calls, and its own processes instead.
EDGES = {"sweeper/driver.cpp", "sweeper/longhorn/http_longhorn.cpp", "sweeper/longhorn/received.cpp", "sweeper/service.cpp",
         "webhook/service.cpp"}


def counts(build):
    """By source file, relative to here: line -> how often it was run."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    here = os.getcwd() + "/"
    for data in glob.glob(build + "/**/*.gcda", recursive=True):
        out = subprocess.run(["gcov", "--json-format", "--stdout", data], capture_output=True, check=True).stdout
        text = gzip.decompress(out) if out[:2] == b"\x1f\x8b" else out
        for line in text.splitlines():
            report = json.loads(line)
            for file in report["files"]:
                path = os.path.normpath(os.path.join(report["current_working_directory"], file["file"]))
                for one in file["lines"]:
                    lines[path.removeprefix(here)][one["line_number"]] += one["count"]
    return lines


def ranges(numbers):
    """[1, 2, 3, 7] -> [[1, 3], [7, 7]]."""
    runs = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def main(build, *folders):
    lines = counts(build)
    for folder in folders:
        reached = total = 0
        for path in sorted(path for path in lines if path.startswith(folder + "/") and path not in EDGES):
            missed = [number for number, count in lines[path].items() if count == 0]
            reached += len(lines[path]) - len(missed)
            total += len(lines[path])
            with open(path, encoding="utf-8") as file:
                text = file.read().splitlines()
            for first, last in ranges(missed):
                print(f"{path}:{first}{'' if first == last else f'-{last}'}: {text[first - 1].strip()}")
        print(f"{folder}/: {reached} of {total} lines, {100 * reached / max(total, 1):.1f} %")


main(*sys.argv[1:])
