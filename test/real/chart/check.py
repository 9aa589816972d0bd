"""check.py HELM [--update]: checks the chart without a cluster: what it renders, what it refuses, its README, its alerts. With
--update, the README and the golden files are written instead of compared."""

import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

import chart

GOLDEN = chart.HERE / "golden"
ALERTS = "prometheusRule.enabled=true"


def same(failures, file, found, update):
    wanted = file.read_text() if file.exists() else ""
    if found == wanted:
        return
    if update:
        file.write_text(found)
        return print(f"chart: wrote {file.relative_to(chart.ROOT)}")
    lines = difflib.unified_diff(wanted.splitlines(), found.splitlines(), str(file.relative_to(chart.ROOT)), "now", lineterm="", n=2)
    failures.say("not as it was; if that is right: scripts/chart --update\n" + "\n".join(list(lines)[:60]))


def parts(manifest):
    """Each object's lines, by what it is called."""
    named = {}
    for part in manifest.split("---\n"):
        if part.strip():
            found = yaml.safe_load(part)
            name = f"{found['kind']} {found['metadata']['name']}"
            if name in named:
                raise SystemExit(f"chart: {name} is rendered twice")
            named[name] = part.splitlines()
    return named


def difference(default, manifest):
    """What another choice of values changes, object by object. Without line numbers, so that only what changes here changes it."""
    ours, theirs = parts(default), parts(manifest)
    said = []
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            said += [f"{name}: not rendered"]
        elif name not in ours:
            said += [f"{name}: rendered here only", *("+" + line for line in theirs[name])]
        elif ours[name] != theirs[name]:
            lines = list(difflib.unified_diff(ours[name], theirs[name], lineterm="", n=1))[2:]
            said += [f"{name}: changed", *("@" if line.startswith("@@") else line for line in lines)]
    return "\n".join(said) + "\n"


def check_renders(helm, failures, update):
    default = chart.render(helm, chart.HERE / "values/default.yaml")
    same(failures, GOLDEN / "default.yaml", default, update)
    for values in chart.value_sets():
        if values.stem != "default":
            same(failures, GOLDEN / f"{values.stem}.diff", difference(default, chart.render(helm, values)), update)
    for file in GOLDEN.iterdir():
        if not (chart.HERE / "values" / f"{file.stem}.yaml").exists():
            failures.say(f"{file} belongs to no file of test/real/chart/values")


def check_numbers(helm, failures):
    """A release and a namespace may be called by a number, which YAML would read as one."""

    def walk(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, path)
        elif not isinstance(value, str) and (path.endswith(("name", "Name", "namespace")) or re.search(r"\.(matchL|l)abels\.", path)):
            failures.say(f"release 123 in namespace 456: {path} is {value!r}, which is no string")

    for values in chart.value_sets():
        done = chart.template(helm, "--values", values, release="123", namespace="456", **chart.cluster_of(values))
        for found in chart.objects(done.stdout):
            walk(found, found["kind"])


def check_refusals(helm, failures):
    for case in yaml.safe_load((chart.HERE / "refusals.yaml").read_text()):
        done = chart.template(helm, "--set", case["set"])
        if done.returncode == 0:
            failures.say(f"--set {case['set']} was not refused")
        elif case["says"] not in done.stderr:
            failures.say(f"--set {case['set']} was refused without '{case['says']}':\n{done.stderr}")


def check_schema(failures):
    """Each value has a schema that says more than its name, and the schema knows no other."""

    def compare(values, schema, path):
        known = schema.get("properties")
        if known is None or not isinstance(values, dict):
            return
        if schema.get("additionalProperties") is not False and not path.startswith("global"):
            failures.say(f"values.schema.json: {path or 'the top'} lets unknown keys pass")
        for key in sorted(set(values) ^ set(known)):
            if not (path == "certificates.certManager.issuerRef" or (path + "." + key).endswith("resources.claims")):
                failures.say(f"{path}.{key} is in only one of values.yaml and values.schema.json")
        for key in set(values) & set(known):
            compare(values[key], known[key], f"{path}.{key}".lstrip("."))

    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    compare(values, json.loads((chart.CHART / "values.schema.json").read_text()), "")


def check_registration(helm, failures):
    """What the API server is told in test/real/plane is what the chart tells it, but for the address."""
    tested = yaml.safe_load((chart.ROOT / "test/real/plane/manifests/webhook.yaml").read_text())["webhooks"][0]
    told = chart.find(chart.render(helm, chart.HERE / "values/default.yaml"), "MutatingWebhookConfiguration", "snapfreeze")["webhooks"][0]
    for key in sorted(set(tested) - {"clientConfig", "namespaceSelector", "rules"}):
        if tested[key] != told.get(key):
            failures.say(f"the registration's {key} is {told.get(key)}, but test/real/plane tests {tested[key]}")
    if "caBundle" in told["clientConfig"]:
        failures.say("the registration names caBundle: an upgrade would take it away")


def check_alerts(helm, failures):
    manifest = chart.template(helm, "--set", ALERTS).stdout
    spec = chart.find(manifest, "PrometheusRule", "snapfreeze")["spec"]
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder) / "alerts.yaml"
        rules.write_text(yaml.safe_dump(spec))
        tests = pathlib.Path(folder) / "tests.yaml"
        tests.write_text((chart.HERE / "alerts_test.yaml").read_text())
        for command in (["check", "rules", "--lint-fatal", rules], ["test", "rules", tests]):
            done = subprocess.run(["promtool", *command], capture_output=True, text=True, cwd=folder, check=False)
            if done.returncode != 0:
                failures.say(f"promtool {command[0]} rules:\n{done.stdout}{done.stderr}")
    tested = (chart.HERE / "alerts_test.yaml").read_text()
    runbooks = (chart.ROOT / "docs/runbooks.md").read_text()
    for rule in (rule for group in spec["groups"] for rule in group["rules"]):
        name = rule["alert"]
        if not re.search(rf"alertname: {name}\n *exp_alerts:\n", tested):
            failures.say(f"no test in test/real/chart/alerts_test.yaml sees {name} fire")
        if not re.search(rf"alertname: {name}\n *exp_alerts: \[\]", tested):
            failures.say(f"no test in test/real/chart/alerts_test.yaml sees {name} keep still")
        if rule["annotations"]["runbook_url"] != f"docs/runbooks.md#{name.lower()}" or f"\n### {name}\n" not in runbooks:
            failures.say(f"docs/runbooks.md has no section {name}, or its runbook_url points elsewhere")


def check_addon(helm, failures):
    addon = yaml.safe_load((chart.ROOT / "charts/harvester-addon.yaml").read_text())
    version = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())["version"]
    if addon["spec"]["version"] != version or addon["spec"]["chart"] != "snapfreeze":
        failures.say(f"charts/harvester-addon.yaml asks for {addon['spec']['chart']} {addon['spec']['version']}, not for snapfreeze {version}")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as values:
        values.write(addon["spec"]["valuesContent"])
        values.flush()
        done = chart.template(helm, "--values", values.name)
        if done.returncode != 0:
            failures.say(f"charts/harvester-addon.yaml: {done.stderr}")


def main():
    helm, update = sys.argv[1], "--update" in sys.argv[2:]
    failures = chart.Failures()
    lint = subprocess.run([helm, "lint", "--strict", "--kube-version", chart.KUBERNETES, chart.CHART], capture_output=True, text=True, check=False)
    if lint.returncode != 0:
        failures.say(f"helm lint --strict:\n{lint.stdout}{lint.stderr}")
    readme = subprocess.run([sys.executable, chart.ROOT / "scripts/chart_readme.py", chart.CHART / "values.yaml"],
                            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    if readme.returncode != 0:
        failures.say(readme.stderr)
    same(failures, chart.CHART / "README.md", readme.stdout, update)
    check_renders(helm, failures, update)
    check_numbers(helm, failures)
    check_refusals(helm, failures)
    check_schema(failures)
    check_registration(helm, failures)
    check_alerts(helm, failures)
    check_addon(helm, failures)
    return 1 if failures.count else 0


sys.exit(main())
