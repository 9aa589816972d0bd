"""The chart, rendered by the real Helm."""

import pathlib
import re
import subprocess

import yaml

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
CHART = ROOT / "charts/snapfreeze"
RELEASE, NAMESPACE = "snapfreeze", "snapfreeze-system"
KUBERNETES = "1.36.0"


class Failures:
    """What did not hold; the rest goes on."""

    def __init__(self):
        self.count = 0

    def say(self, what):
        print(f"chart: {what}")
        self.count += 1


def value_sets():
    return sorted((HERE / "values").glob("*.yaml"))


def kubernetes_of(values):
    said = re.match(r"# kubernetes: (\S+)", values.read_text())
    return said[1] if said else KUBERNETES


def template(helm, *options, kubernetes=KUBERNETES):
    """The finished process: the manifest is its stdout."""
    return subprocess.run(
        [helm, "template", RELEASE, CHART, "--namespace", NAMESPACE, "--kube-version", kubernetes, *options],
        capture_output=True, text=True, check=False)


def render(helm, values):
    done = template(helm, "--values", values, kubernetes=kubernetes_of(values))
    if done.returncode != 0:
        raise SystemExit(f"chart: {values.name}: {done.stderr}")
    return done.stdout


def objects(manifest):
    return [o for o in yaml.safe_load_all(manifest) if o]


def find(manifest, kind, name):
    return next(o for o in objects(manifest) if o["kind"] == kind and o["metadata"]["name"] == name)
