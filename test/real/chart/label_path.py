"""The example of docs/label-path.md on a real API server: its objects are accepted as they are, and its script runs as the CronJob's
container would, with the account's own token and no other right."""

import json
import os
import subprocess
import time

import chart
import yaml
from plane import wait_for

EXAMPLE = chart.ROOT / "docs/examples/label-path.yaml"
PATIENCE = 60  # seconds
HARVESTERS_FREEZE = 8  # seconds: its timer, and the clocks' margin
FREEZE = "virtualmachineinstances/freeze"


def example(vm, may_freeze):
    """Its objects, with the namespace and the VM of the test."""
    objects = chart.objects(EXAMPLE.read_text().replace("namespace: prod", "namespace: team").replace("db1", vm))
    for one in objects:
        if one["kind"] == "Role" and not may_freeze:
            one["rules"] = [rule for rule in one["rules"] if FREEZE not in rule["resources"]]
    return objects


def account_config(plane, account):
    """A kubeconfig, as kubectl has one in a pod."""
    config = json.loads(plane.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"][0]["user"] = {"token": plane.kubectl("-n", "team", "create", "token", account).strip()}
    config["contexts"][0]["context"]["namespace"] = "team"
    file = plane.folder / "label-path.kubeconfig"
    file.write_text(json.dumps(config))
    return file


def run_job(plane, vm, may_freeze):
    """The script's exit status, and what it said."""
    objects = example(vm, may_freeze)
    plane.kubectl("apply", "--validate=strict", "-f", "-", given=yaml.safe_dump_all(objects))
    plane.kubectl("-n", "team", "create", "job", "nightly", "--from=cronjob/nightly-backup", "--dry-run=server")
    (cron,) = (one for one in objects if one["kind"] == "CronJob")
    pod = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    done = subprocess.run(
        container["command"] + container["args"], capture_output=True, text=True, check=False, timeout=PATIENCE + 30,
        env={**variables, "PATIENCE": str(PATIENCE), "KUBECONFIG": str(account_config(plane, pod["serviceAccountName"])),
             "HOME": str(plane.folder), "PATH": f"{plane.tools}:{os.environ['PATH']}"})
    return done.returncode, done.stdout + done.stderr


def check(plane, failures):
    """With guests of cluster.py: db has three disks, old has no agent. What Harvester's backups of db did must be long past."""
    wait_for("Harvester's backups are complete", 60, lambda: all(
        one.get("status", {}).get("readyToUse") for one in plane.get("-n", "team", "vmbackup")["items"]))
    time.sleep(HARVESTERS_FREEZE)
    for vm, may_freeze, expected, words in (("db", True, 0, "is consistent"), ("old", True, 1, "crash no-agent"),
                                            ("db", False, 1, "crash not-permitted")):
        status, said = run_job(plane, vm, may_freeze)
        if status != expected or words not in said:
            failures.say(f"the label path of {vm} ended with {status}, and said:\n{said}")
