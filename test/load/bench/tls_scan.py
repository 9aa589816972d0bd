#!/usr/bin/env python3
"""Debian's testssl.sh against a webhook with certificates of our own: no finding may be open without a reason.

    test/load/bench/tls_scan.py [BUILD]
"""
import base64
import json
import os
import subprocess
import sys
import tempfile

from callers import REGISTRATION, SERVER_NAME
from cluster import Sandbox
from replicas import Replica
from rolling import Certificates, Sweepers, register

BOUND = 600  # seconds

ACCEPTED = {
    "engine_problem": "testssl's own: this OpenSSL has no GOST engine",
    "cert_expirationStatus": "a certificate lives for 30 days, and is renewed after 20",
    "cert_notAfter": "the same",
    "cert_revocation": "the API server asks no CRL or OCSP of a webhook; 30 days are the bound",
    "HSTS": "no browser comes here",
    "security_headers": "no browser comes here",
}


def scan(sandbox, port, ca):
    report = sandbox.file("testssl.json")
    command = ["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--connect-timeout", "5",
               "--openssl-timeout", "5", "--add-ca", ca, "--jsonfile", report, "--ip", "127.0.0.1", f"{SERVER_NAME}:{port}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=False)
    if not os.path.exists(report):
        sys.exit(f"tls-scan: testssl made no report: {ended.stdout[-1000:]} {ended.stderr[-1000:]}")
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/release")
    with tempfile.TemporaryDirectory(prefix="snapfreeze-tls-scan-") as directory:
        with Sandbox(build, directory) as sandbox:
            register(sandbox)
            Sweepers(sandbox)
            Certificates(sandbox).await_new("certificate", None)
            ca = sandbox.file("trusted.crt")
            with open(ca, "wb") as file:
                webhook = sandbox.api.call("GET", REGISTRATION)["webhooks"][0]
                file.write(base64.b64decode(webhook["clientConfig"]["caBundle"]))
            print("scanning; this takes one to two minutes", flush=True)
            findings = scan(sandbox, Replica(sandbox, 0, "webhook-0").port, ca)
    unexplained = []
    for finding in findings:
        if finding["severity"] in ("OK", "INFO"):
            continue
        reason = ACCEPTED.get(finding["id"])
        print(f"{finding['severity']:8} {finding['id']}: {finding['finding']}\n         {'accepted: ' + reason if reason else 'OPEN'}")
        if not reason:
            unexplained.append(finding["id"])
    ids = {finding["id"] for finding in findings}
    missing = {"TLS1_3", "cert_chain_of_trust", "secure_client_renego", "SWEET32"} - ids
    if missing:
        sys.exit(f"tls-scan: testssl did not come to its end: it says nothing of {', '.join(sorted(missing))}")
    if unexplained:
        sys.exit(f"tls-scan: open: {', '.join(unexplained)}")
    print(f"tls-scan: {len(findings)} checks, none open")


if __name__ == "__main__":
    main()
