"""cluster.py TOOLS PLANE SNAPFREEZE: tests the chart on a real API server: server-side dry runs of all values, install, pods under
restricted Pod Security, processes with the chart's arguments, accounts and rights, backups, a real Prometheus, upgrade, all sources of
certificates, uninstall."""

import contextlib
import json
import pathlib
import re
import shutil
import sys
import tempfile
import time

import chart
import label_path
from monitoring import Prometheus
from plane import Plane, own_certificate, run, wait_for
from replicas import Replica, helm_test, uninstall

VALUES = chart.HERE / "values/monitoring.yaml"
SHORT_TIMER = 12  # seconds, as the next
SHORT_REST = 5
FAILURES = chart.Failures()


def say(what):
    print(f"chart: {what} ({time.strftime('%T')})", flush=True)


def prepare(plane):
    """A namespace under restricted Pod Security without what up.sh makes for the other tests, and three guests."""
    plane.kubectl("delete", "-f", "-", given=run([chart.ROOT / "test/real/plane/rbac.sh"]))
    plane.kubectl("-n", chart.NAMESPACE, "delete", "pods", "--all")
    plane.kubectl("label", "namespace", chart.NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    plane.kubectl("create", "namespace", "cattle-dashboards")
    plane.kubectl("apply", "-f", str(chart.HERE / "crds.yaml"))
    plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    plane.control("vms", {"ns": "team", "name": "db", "disks": 3, "running": True, "agent": True})
    plane.control("vms", {"ns": "team", "name": "web", "disks": 1, "running": True, "agent": True})
    plane.control("vms", {"ns": "team", "name": "old", "disks": 1, "running": True, "agent": False})


def check_dry_runs(plane):
    """Every object of every set of values, and every pod, is accepted as it is: an unknown field is an error, too."""
    for values in chart.value_sets():
        manifest = chart.render(plane.tools / "helm", values)
        try:
            plane.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", given=manifest)
            for part in ("webhook", "sweeper"):
                template = chart.find(manifest, "Deployment", f"snapfreeze-{part}")["spec"]["template"]
                template["spec"].pop("priorityClassName")  # 'everything' names one that is not there
                template["metadata"] |= {"name": f"dry-{part}", "namespace": chart.NAMESPACE}
                plane.create({"apiVersion": "v1", "kind": "Pod", **template}, "--dry-run=server")
        except RuntimeError as error:
            FAILURES.say(f"{values.name}: {error}")


def install(plane):
    """An older version, so that there is one to upgrade from."""
    with tempfile.TemporaryDirectory() as folder:
        older = shutil.copytree(chart.CHART, pathlib.Path(folder) / "snapfreeze")
        said = (older / "Chart.yaml").read_text()
        (older / "Chart.yaml").write_text(re.sub("ersion: 0.*", "ersion: 0.0.0-older", said))
        plane.helm("install", chart.RELEASE, older, "--values", VALUES)


def lead_to_loopback(plane):
    """The Service's backends are the rig's balancer: a loopback address is no endpoint, but a name is."""
    plane.kubectl("-n", chart.NAMESPACE, "patch", "service", "snapfreeze-webhook", "--type=merge", "-p", json.dumps(
        {"spec": {"type": "ExternalName", "externalName": "localhost", "clusterIP": None, "clusterIPs": None}}))
    plane.kubectl("patch", "mutatingwebhookconfiguration", "snapfreeze", "--type=json", "-p", json.dumps(
        [{"op": "replace", "path": "/webhooks/0/clientConfig/service/port", "value": plane.port + 8}]))


def expect_verdict(plane, backup, vm, verdict):
    plane.back_up("team", backup, vm)
    found = wait_for(f"verdict on {backup}", 60, lambda: plane.verdict("team", backup))
    if found != verdict:
        FAILURES.say(f"backup {backup} of {vm} is '{found}', not '{verdict}'")


def trusted(plane):
    return plane.own("mutatingwebhookconfiguration", "snapfreeze")["webhooks"][0]["clientConfig"].get("caBundle", "")


def written(plane):
    """What sweepers keep in the chart's objects."""
    holder = plane.own("lease", "snapfreeze-sweeper")["spec"]["holderIdentity"]
    return {"caBundle": trusted(plane), "holder": holder,
            **{name: plane.own("secret", name)["data"] for name in ("snapfreeze-ca", "snapfreeze-tls")}}


def upgrade(plane, *options):
    plane.helm("upgrade", chart.RELEASE, chart.CHART, "--values", VALUES, "--set", f"freeze.timeoutSeconds={SHORT_TIMER}", "--set",
               f"freeze.coolDownSeconds={SHORT_REST}", *options)


def check_upgrade(plane):
    """What was written at run time stays; also when a Secret was lost, and made anew with another type."""
    plane.kubectl("-n", chart.NAMESPACE, "delete", "secret", "snapfreeze-tls")
    wait_for("the lost Secret made anew", 60, lambda: plane.own("secret", "snapfreeze-tls")["data"]["tls.crt"])
    before = written(plane)
    upgrade(plane)
    after = written(plane)
    for what in before:
        if before[what] != after[what]:
            FAILURES.say(f"the upgrade changed {what}")
    arguments = plane.own("deployment", "snapfreeze-webhook")["spec"]["template"]["spec"]["containers"][0]["args"]
    if f"--freeze-timeout={SHORT_TIMER}s" not in arguments:
        FAILURES.say(f"the upgrade did not reach the webhook: {arguments}")


def restart(plane, replicas):
    lead_to_loopback(plane)
    for replica in replicas:
        replica.stop()
        replica.start()
    time.sleep(5)  # a webhook looks every 2 s whether a sweeper leads, and one has just ended


def check_sources(plane, replicas):
    """Certificates from elsewhere, with the fewer rights that the sweeper then has, and from the sweeper again."""
    ours = trusted(plane)
    files = own_certificate(plane.folder)
    plane.kubectl("-n", chart.NAMESPACE, "create", "secret", "generic", "company-tls", *files)
    upgrade(plane, "--values", chart.HERE / "values/secret.yaml")
    restart(plane, replicas)
    wait_for("the admin's CA is trusted", 60, lambda: trusted(plane) != ours)
    expect_verdict(plane, "secret", "db", "filesystem")

    upgrade(plane, "--values", chart.HERE / "values/cert-manager.yaml")
    plane.kubectl("-n", chart.NAMESPACE, "create", "secret", "generic", "snapfreeze-tls", *files)  # as cert-manager would
    restart(plane, replicas)
    expect_verdict(plane, "cert-manager", "db", "filesystem")

    plane.kubectl("-n", chart.NAMESPACE, "delete", "secret", "company-tls", "snapfreeze-tls")
    # A leaf of the sweeper's CA from before could still be served, so a new one would wait for minutes.
    upgrade(plane, "--set", "certificates.caSettlesSeconds=2")
    # The API server learns of new rights through a watch of its own.
    sweeper = f"system:serviceaccount:{chart.NAMESPACE}:snapfreeze-sweeper"
    asked = ("auth", "can-i", "get", "secret/snapfreeze-ca", "-n", chart.NAMESPACE, "--as", sweeper)
    wait_for("the sweeper's rights are back", 30, lambda: plane.kubectl(*asked))
    theirs = trusted(plane)
    # Those that end now had the rights of before, and lost them a moment ago.
    logs = [plane.folder / f"{replica.name}.log" for replica in replicas]
    ended = [log.read_text().count("forbidden") for log in logs]
    restart(plane, replicas)
    wait_for("the sweeper's CA is trusted", 60, lambda: trusted(plane) != theirs)
    for log, before in zip(logs, ended):
        if log.read_text().count("forbidden") > before:
            FAILURES.say(f"a replica lacks a right: {log}")


def check_monitoring(plane, prometheus):
    prometheus.await_query('sum(snapfreeze_verdicts_total{consistency="filesystem"}) > 1')
    prometheus.await_query('snapfreeze_verdicts_total{reason="no-agent"}')
    prometheus.check_dashboard(FAILURES)
    prometheus.check_rules(FAILURES)
    if (firing := prometheus.firing()) != {"SnapfreezeWebhookUnreachable", "SnapfreezeBackupNotConsistent"}:
        FAILURES.say(f"these alerts fire: {sorted(firing)}")


def frozen_now(plane):
    return [vm for vm, guest in plane.control("guests").items() if any(i["until_ms"] is None for i in guest["intervals"])]


def snapshots(plane):
    return [snapshot["metadata"]["name"] for snapshot in plane.get("-n", "team", "volumesnapshots")["items"]]


def check_uninstall(plane, program, replicas, before):
    """While the programs still run, as they do until a kubelet has stopped them, and two guests are frozen: one for disks that are cut
    soon, one for disks that never are."""
    plane.control("storage", {"cut": 5000})
    plane.control("storage", {"ns": "team", "pvc": "web-disk-0", "never": True})
    plane.back_up("team", "endless", "web")
    plane.back_up("team", "last", "db")
    wait_for("frozen guests", 20, lambda: sorted(frozen_now(plane)) == ["team/db", "team/web"])
    # Each disk was admitted: one that came later would have no webhook.
    wait_for("all snapshots", 20, lambda: len([s for s in snapshots(plane) if s.startswith("last-")]) == 3)
    started = time.monotonic()
    uninstall(plane, program)
    say(f"uninstalled in {time.monotonic() - started:.0f} s")
    if frozen_now(plane):
        FAILURES.say(f"the uninstall left {frozen_now(plane)} frozen")
    for backup, verdict in (("last", "filesystem"), ("endless", "crash not-captured")):
        if (found := plane.verdict("team", backup)) != verdict:
            FAILURES.say(f"backup {backup} is '{found}', not '{verdict}'")
    time.sleep(3)  # were there a right left, they would write again what Helm has deleted
    for replica in replicas:
        replica.stop()
    for kind, namespace, name in sorted(plane.inventory() - before):
        if not kind.startswith("VolumeSnapshot") and namespace != "team":
            FAILURES.say(f"the uninstall left {kind} {namespace}/{name}")


def main():
    tools, folder, program = sys.argv[1:]
    plane = Plane(tools, folder)
    port = plane.port
    webhooks = [Replica(plane, "webhook", i, program, (port + 11 + i, port + 13 + i)) for i in range(2)]
    sweepers = [Replica(plane, "sweeper", i, program, (0, port + 15 + i)) for i in range(2)]
    with contextlib.ExitStack() as stack:
        for replica in webhooks + sweepers:
            stack.callback(replica.kill)
        prepare(plane)
        before = plane.inventory()
        say("server-side dry runs")
        check_dry_runs(plane)
        say("install, and a backup")
        install(plane)
        lead_to_loopback(plane)
        for replica in sweepers:
            replica.start()
        wait_for("caBundle", 30, lambda: trusted(plane))
        prometheus = Prometheus(plane, webhooks + sweepers)
        stack.callback(prometheus.stop)
        prometheus.await_query("snapfreeze_leader == 1")
        plane.back_up("team", "unasked", "old")
        wait_for("an alert of the unreachable webhook", 60, lambda: "SnapfreezeWebhookUnreachable" in prometheus.firing())
        if helm_test(plane, program) == 0:
            FAILURES.say("helm test passes although the webhook does not run")
        for replica in webhooks:
            replica.start()
        if helm_test(plane, program) != 0:
            FAILURES.say(f"helm test fails; see {plane.folder}/helm-test.log")
        expect_verdict(plane, "first", "db", "filesystem")
        expect_verdict(plane, "second", "old", "crash no-agent")
        expect_verdict(plane, "third", "web", "filesystem")
        say("the label path, as docs/label-path.md has it")
        label_path.check(plane, FAILURES)
        say("alerts and dashboard")
        check_monitoring(plane, prometheus)
        say("upgrade")
        check_upgrade(plane)
        restart(plane, webhooks + sweepers)
        expect_verdict(plane, "fourth", "db", "filesystem")
        say("certificates from elsewhere")
        check_sources(plane, sweepers + webhooks)
        say("uninstall")
        check_uninstall(plane, program, webhooks + sweepers, before)
    return 1 if FAILURES.count else 0


sys.exit(main())
