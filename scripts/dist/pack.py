"""pack.py DIST VERSION DIGEST REGISTRY URL ARCH=FOLDER...: adds the files beside the image to DIST: the chart, its index, Harvester's
add-on, the command line of each architecture, and krew's manifest. FOLDER is the output of scripts/dist/command-line, with the manual page
and the completions. SOURCE_DATE_EPOCH is the time of every file."""
import gzip
import hashlib
import io
import os
import pathlib
import re
import sys
import tarfile
import time

import yaml

ROOT = pathlib.Path(__file__).parent.parent.parent
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
LICENSE = (ROOT / "LICENSE").read_bytes()


def tar_gz(path, files, links=()):
    """`files`: (name, content, mode); `links`: (name, target)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content, mode in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), mode, EPOCH
            tar.addfile(member, io.BytesIO(content))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode, member.mtime = tarfile.SYMTYPE, target, 0o777, EPOCH
            tar.addfile(member)
    path.write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def replaced(text, what, by):
    """There is exactly one, or a file has changed and this must, too."""
    found, count = re.subn(what, by, text, flags=re.MULTILINE)
    if count != 1:
        sys.exit(f"pack.py: '{what}' stands {count} times in what it should change once")
    return found


def chart(dist, version, digest, registry):
    folder = ROOT / "charts/snapfreeze"
    files = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        if path.name == "Chart.yaml":
            text = replaced(replaced(text, "^version: .*", f"version: {version}"), "^appVersion: .*", f"appVersion: {version}")
            text = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
        elif path == folder / "values.yaml":
            text = replaced(replaced(text, '^  digest: ""', f'  digest: "{digest}"'), '^  registry: ""', f'  registry: "{registry}"')
        files.append((f"snapfreeze/{path.relative_to(folder)}", text.encode(), 0o644))
    return tar_gz(dist / f"snapfreeze-{version}.tgz", files + [("snapfreeze/LICENSE", LICENSE, 0o644)])


def chart_index(dist, version, digest):
    """As `helm repo index` writes it; DIST is then a repository of charts wherever it is served."""
    said = yaml.safe_load((ROOT / "charts/snapfreeze/Chart.yaml").read_text(encoding="utf-8"))
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
    entry = said | {"version": version, "appVersion": version, "digest": digest, "created": when,
                    "urls": [f"snapfreeze-{version}.tgz"]}
    (dist / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "generated": when, "entries": {"snapfreeze": [entry]}}), encoding="utf-8")


def addon(dist, version, registry, url):
    text = (ROOT / "charts/harvester-addon.yaml").read_text(encoding="utf-8")
    text = replaced(replaced(text, "^  version: .*", f"  version: {version}"), "^  repo: .*", f"  repo: {url}")
    text = replaced(text, "^      registry: .*", f'      registry: "{registry}"')
    (dist / f"snapfreeze-{version}-harvester-addon.yaml").write_text(text, encoding="utf-8")


def command_line(dist, version, arch, folder):
    """The archive for people, and krew's, which may hold no links; returns that one's checksum."""
    folder = pathlib.Path(folder)
    program = (folder / "snapfreeze").read_bytes()
    notices = [(name, (folder / name).read_bytes(), 0o644) for name in ("NOTICES", "sbom.spdx.json")]
    shell = [(name, (folder / name).read_bytes(), 0o644) for name in ("snapfreeze.1", "snapfreeze.bash", "_snapfreeze", "snapfreeze.fish")]
    license_file = ("LICENSE", LICENSE, 0o644)
    tar_gz(dist / f"snapfreeze-{version}-linux-{arch}.tar.gz", [("snapfreeze", program, 0o755), *shell, license_file, *notices],
           [("kubectl-snapfreeze", "snapfreeze")])
    (dist / f"snapfreeze-{version}-linux-{arch}.spdx.json").write_bytes(notices[1][1])
    return tar_gz(dist / f"kubectl-snapfreeze-{version}-linux-{arch}.tar.gz", [("kubectl-snapfreeze", program, 0o755), license_file, *notices])


def krew(dist, version, url, sums):
    platforms = [{"selector": {"matchLabels": {"os": "linux", "arch": arch}}, "bin": "kubectl-snapfreeze", "sha256": checksum,
                  "uri": f"{url}/kubectl-snapfreeze-{version}-linux-{arch}.tar.gz"} for arch, checksum in sums.items()]
    manifest = {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2", "kind": "Plugin", "metadata": {"name": "snapfreeze"},
        "spec": {"version": f"v{version}", "homepage": url, "platforms": platforms,
                 "shortDescription": "What VM backups are worth, and who is frozen",
                 "description": "Shows which guests snapfreeze holds frozen, what each backup of a VM is worth and why,\n"
                                "whether everything is in order, and what a backup of a VM would do now. Thaws a guest\n"
                                "in an emergency. For Harvester and any KubeVirt cluster with snapfreeze.\n"}}
    (dist / "krew.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")


def main():
    dist, version, digest, registry, url, *folders = sys.argv[1:]
    dist = pathlib.Path(dist)
    chart_index(dist, version, chart(dist, version, digest, registry))
    addon(dist, version, registry, url)
    sums = {arch: command_line(dist, version, arch, folder) for arch, folder in (pair.split("=", 1) for pair in folders)}
    krew(dist, version, url, sums)
    for name in ("snapfreeze.1", "snapfreeze.bash", "_snapfreeze", "snapfreeze.fish"):
        (dist / name).write_bytes((pathlib.Path(folders[0].split("=", 1)[1]) / name).read_bytes())


main()
