"""What is in dist/ beside image and command line, as Harvester, Helm and krew read it."""

import hashlib
import tarfile

import chart
import yaml


def refuse(what):
    raise SystemExit(f"proof: {what}")


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def check_repository(dist):
    for entry in yaml.safe_load((dist / "index.yaml").read_text())["entries"]["snapfreeze"]:
        for name in entry["urls"]:
            if entry["digest"] != sha256(dist / name):
                refuse(f"index.yaml has {entry['digest']} for {name}, which is {sha256(dist / name)}")


def check_addon(machine, plane, dist, digest):
    """Once it has been applied, Harvester's controller installs that version of the chart with these values."""
    spec = plane.own("addon", "snapfreeze")["spec"]
    machine.serve_files(spec["repo"], dist)
    (machine.root / "root/addon.yaml").write_text(spec["valuesContent"])
    rendered = machine.run("helm", "template", chart.RELEASE, spec["chart"], "--repo", spec["repo"], "--version", spec["version"],
                           "--namespace", chart.NAMESPACE, "--kube-version", chart.KUBERNETES, "--values", "/root/addon.yaml")
    images = {o["spec"]["template"]["spec"]["containers"][0]["image"] for o in chart.objects(rendered) if o["kind"] == "Deployment"}
    if {image.partition("@")[2] for image in images} != {digest}:
        refuse(f"the add-on asks for {images}, not for {digest}")


def check_krew(machine, dist, version):
    """It refuses archives of another checksum, and links in them."""
    for platform in yaml.safe_load((dist / "krew.yaml").read_text())["spec"]["platforms"]:
        archive = dist / platform["uri"].rpartition("/")[2]
        if platform["sha256"] != sha256(archive):
            refuse(f"krew.yaml has another checksum than {archive.name}")
        with tarfile.open(archive) as tar:
            if any(not member.isfile() for member in tar):
                refuse(f"{archive.name} has more than files")
            program = tar.getmember(platform["bin"])
            if platform["selector"]["matchLabels"]["arch"] == "amd64":
                tar.extract(program, machine.root / "root")
                said = machine.run(f"/root/{platform['bin']}", "version").strip()
                if said != f"snapfreeze {version}":
                    refuse(f"{archive.name} is '{said}', not {version}")
