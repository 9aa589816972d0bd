"""chart_readme.py VALUES: the chart's README, on stdout. Each value's description is the comment above it in VALUES; a line
with ## begins a section. A value without description is an error."""

import json
import re
import sys

import yaml

HEAD = """# Chart snapfreeze

Consistent VM backups for Harvester and KubeVirt. How to install, upgrade and remove it: [docs/install.md](../../docs/install.md).

    helm install snapfreeze dist/snapfreeze-VERSION.tgz --namespace snapfreeze-system --create-namespace --set image.registry=REGISTRY

That is the chart as `scripts/release` packs it, with the digest of its image. This folder alone names no image: say which one you have with
`image.tag` or `image.digest`.

Names of its objects are fixed, so there is one installation in a cluster. What it may do is in [files](files).

Written from the comments in values.yaml by `scripts/chart --update`; do not edit.
"""


def value_of(values, path):
    for key in path:
        values = values[key]
    return values


def main(file):
    text = open(file, encoding="utf-8").read()
    values = yaml.safe_load(text)
    print(HEAD.strip())
    comment, path, described = [], [], [None]
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            print(f"\n## {line[3:]}\n\n| value | default | description |\n|---|---|---|")
            comment = []
        elif line.strip().startswith("# "):
            comment.append(line.strip()[2:])
        elif not line.strip():
            comment = []
        elif match := re.match(r"( *)([A-Za-z]+):", line):
            depth = len(match[1]) // 2
            path = path[:depth] + [match[2]]
            value = value_of(values, path)
            if comment:
                # On one line, as a table wants it.
                print(f"| `{'.'.join(path)}` | `{json.dumps(value)}` | {' '.join(comment).replace('|', chr(92) + '|')} |")
                described = path
            elif not isinstance(value, dict) and path[: len(described)] != described:
                sys.exit(f"{file}:{number}: {'.'.join(path)} has no description: write a comment above it")
            comment = []


main(sys.argv[1])
