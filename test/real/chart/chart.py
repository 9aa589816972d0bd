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


def cluster_of(values):
    """What the first line of a file says of the cluster: its version, or an API that it serves."""
    said = re.match(r"# (kubernetes|serves): (\S+)", values.read_text())
    kind, what = said.groups() if said else ("kubernetes", KUBERNETES)
    return {"kubernetes": what} if kind == "kubernetes" else {"serves": what}


def template(helm, *options, release=RELEASE, namespace=NAMESPACE, kubernetes=KUBERNETES, serves=None):
    """The finished process: the manifest is its stdout."""
    return subprocess.run(
        [helm, "template", release, CHART, "--namespace", namespace, "--kube-version", kubernetes,
         *(["--api-versions", serves] if serves else []), *options], capture_output=True, text=True, check=False)


def render(helm, values):
    done = template(helm, "--values", values, **cluster_of(values))
    if done.returncode != 0:
        raise SystemExit(f"chart: {values.name}: {done.stderr}")
    return done.stdout


def objects(manifest):
    return [o for o in yaml.safe_load_all(manifest) if o]


def find(manifest, kind, name):
    return next(o for o in objects(manifest) if o["kind"] == kind and o["metadata"]["name"] == name)
