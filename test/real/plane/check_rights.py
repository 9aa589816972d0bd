#!/usr/bin/env python3
"""check_rights.py KUBECTL DIR...: compares the rights of webhook and sweeper with what they did, by the audit logs of the
control planes in DIR...

Every right that is granted must have been used, and nothing may have been refused. Run it after the scenarios.
"""
import collections
import json
import subprocess
import sys

OWN = "snapfreeze-system"


def granted(kubectl, directory, part):
    """(group, resource, verb, namespace or "") of every rule."""
    rights = set()
    for kind, namespace in (("clusterrole", ""), ("role", OWN)):
        command = [kubectl, f"--kubeconfig={directory}/admin.kubeconfig", "get", kind, f"snapfreeze-{part}", "-o", "json"]
        role = json.loads(subprocess.check_output(command + (["-n", namespace] if namespace else [])))
        for rule in role["rules"]:
            rights |= {(group, resource, verb, namespace)
                       for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]}
    return rights


def events(directories):
    for directory in directories:
        with open(f"{directory}/audit.log", encoding="utf-8") as log:
            for line in log:
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    # The API server was killed while it wrote.
                    print(f"{directory}/audit.log: half a line")


def done(directories):
    """part -> rights used, and part -> refusals."""
    used, refused = collections.defaultdict(set), collections.defaultdict(set)
    for event in events(directories):
        part = event["user"]["username"].rsplit(":", 1)[1]
        what = event.get("objectRef", {})
        if "resource" not in what:
            continue
        resource = what["resource"] + ("/" + what["subresource"] if what.get("subresource") else "")
        namespace = OWN if what.get("namespace", "").startswith(OWN) else ""
        right = (what.get("apiGroup", ""), resource, event["verb"], namespace)
        if event.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid":
            refused[part].add(right)
        else:
            used[part].add(right)
    return used, refused


def text(right):
    group, resource, verb, namespace = right
    return f"{verb} {resource}.{group}" + (f" in {namespace}" if namespace else "")


def main():
    kubectl, *directories = sys.argv[1:]
    used, refused = done(directories)
    failures = 0
    for part in ("webhook", "sweeper"):
        rights = granted(kubectl, directories[0], part)
        for right in sorted(rights - used[part]):
            failures += 1
            print(f"{part} never used its right to {text(right)}: take it away, or add a scenario that needs it")
        # An API server that has just started knows no role yet and refuses for a moment what it grants.
        missing = refused[part] - rights
        for right in sorted(missing):
            failures += 1
            print(f"{part} was refused to {text(right)}: grant it, or fix the code")
        print(f"{part}: {len(rights)} rights, {len(rights & used[part])} used, {len(missing)} missing")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
