"""A real Prometheus that scrapes the replicas and the API server, and evaluates the chart's alerts and dashboard."""

import json
import re
import subprocess
import urllib.parse
import urllib.request

import yaml

import chart
from plane import wait_for

EVERY = "2s"


class Prometheus:
    def __init__(self, plane, replicas):
        self.plane = plane
        self.port = plane.port + 19
        folder = plane.folder / "prometheus"
        folder.mkdir()
        self.rules = plane.own("prometheusrule", "snapfreeze")["spec"]
        (folder / "rules.yaml").write_text(yaml.safe_dump(self.rules))
        targets = [{"targets": [f"127.0.0.1:{r.status}"], "labels": {"namespace": chart.NAMESPACE, "pod": r.name}} for r in replicas]
        pki = plane.folder / "pki"
        config = {
            "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY}, "rule_files": ["rules.yaml"],
            "scrape_configs": [
                {"job_name": "snapfreeze-metrics", "static_configs": targets},
                {"job_name": "apiserver", "scheme": "https", "static_configs": [{"targets": [f"127.0.0.1:{plane.port}"]}], "scrape_interval": "5s",
                 "tls_config": {"ca_file": str(pki / "ca.crt"), "cert_file": str(pki / "admin.crt"), "key_file": str(pki / "admin.key")},
                 "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": "apiserver_admission_webhook.*", "action": "keep"}]}]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        log = open(plane.folder / "prometheus.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=log, stderr=log)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def _ask(self, path, **query):
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=5) as reply:
            return json.load(reply)["data"]

    def query(self, expression):
        return self._ask("query", query=expression)["result"]

    def await_query(self, expression, seconds=60):
        return wait_for(f"data for {expression}", seconds, lambda: self.query(expression))

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self._ask("alerts")["alerts"] if alert["state"] == "firing"}

    def check_rules(self, failures):
        """Each rule was evaluated without error, and each series that it names is there."""
        evaluated = [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]
        if len(evaluated) != sum(len(group["rules"]) for group in self.rules["groups"]):
            failures.say(f"Prometheus took {len(evaluated)} rules")
        for rule in evaluated:
            if rule["health"] != "ok":
                failures.say(f"{rule['name']}: {rule.get('lastError', rule['health'])}")
            names = set(re.findall(r"\b(?:snapfreeze|apiserver)_[a-z_]+\b(?!\()", re.sub(r'"[^"]*"', "", rule["query"])))
            names |= {f"snapfreeze_{what}_expiry_timestamp_seconds" for what in ("certificate", "ca") if "expiry" in rule["query"]}
            for name in names:
                if not self.query(f"last_over_time({name}[10m])"):
                    failures.say(f"{rule['name']} asks for {name}, which nobody exports")

    def check_dashboard(self, failures):
        data = self.plane.get("-n", "cattle-dashboards", "configmap", "snapfreeze-dashboard")["data"]["snapfreeze.json"]
        for panel in json.loads(data)["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", "60s").replace("$__range", "10m")
                try:  # not a number is no data, either
                    wait_for("data", 20, lambda asked=expression: any("NaN" not in s["value"] for s in self.query(asked)))
                except RuntimeError:
                    failures.say(f"dashboard, {panel['title']}: no data for {expression}")
