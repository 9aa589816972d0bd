"""Lists the files of the image as SPDX 2.3, each with the Debian package that it came from, by dpkg's own data."""
import hashlib
import json
import os
import re
import subprocess
import time
import uuid
from urllib.parse import quote

FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version", "Maintainer")


def packages(names):
    """Name -> what dpkg says of it."""
    form = "\\t".join(f"${{{field}}}" for field in FIELDS) + "\\n"
    lines = subprocess.run(["dpkg-query", "-W", "-f", form, *names], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {line.split("\t")[0]: dict(zip(FIELDS, line.split("\t"))) for line in lines.splitlines()}


def identifier(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def distribution():
    with open("/etc/os-release", encoding="utf-8") as file:
        said = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return f"{said['ID']}-{said['VERSION_ID']}".replace('"', "")


def package_entry(said, release):
    # The form of a Debian package in https://github.com/package-url/purl-spec.
    name, version, upstream = (quote(text, safe=":") for text in (
        said["Package"], said["Version"], f"{said['source:Package']}@{said['source:Version']}"))
    purl = f"pkg:deb/debian/{name}@{version}?arch={said['Architecture']}&distro={release}&upstream={upstream}"
    return {"SPDXID": identifier("Package", said["Package"]), "name": said["Package"], "versionInfo": said["Version"],
            "supplier": "Organization: Debian", "originator": "Person: " + said["Maintainer"],
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "sourceInfo": f"source package {said['source:Package']} {said['source:Version']}",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}


def file_entry(path, name):
    content = path.read_bytes()
    return {"SPDXID": identifier("File", name), "fileName": "." + name, "copyrightText": "NOASSERTION",
            "checksums": [{"algorithm": kind.upper(), "checksumValue": hashlib.new(kind, content).hexdigest()}
                          for kind in ("sha1", "sha256")]}


def document(root, program, headers, version):
    """`root` knows the origin of each file; `headers` are packages that were compiled into `program`."""
    release = distribution()
    known = packages({*filter(None, root.origin.values()), *headers})
    own = identifier("Package", "snapfreeze")
    entries = [{"SPDXID": own, "name": "snapfreeze", "versionInfo": version, "downloadLocation": "NOASSERTION",
                "filesAnalyzed": False, "licenseDeclared": "Apache-2.0", "primaryPackagePurpose": "CONTAINER"}]
    entries += [package_entry(known[name], release) for name in sorted(known)]
    files, relations = [], [("SPDXRef-DOCUMENT", "DESCRIBES", own)]
    for path in sorted(root.origin):
        name = "/" + str(path.relative_to(root.directory))
        files.append(file_entry(path, name))
        package = root.origin[path]
        relations.append((identifier("Package", package) if package else own, "CONTAINS", files[-1]["SPDXID"]))
    part = identifier("File", "/" + str(program.relative_to(root.directory)))
    relations += [(identifier("Package", name), "BUILD_DEPENDENCY_OF", part) for name in headers]
    relations += [(own, "DEPENDS_ON", identifier("Package", name))
                  for name in sorted(set(filter(None, root.origin.values())) - {"base-files"})]
    # Of the same parts the same name.
    name = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([entries, files], sort_keys=True))
    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"snapfreeze-{version}",
            "documentNamespace": f"urn:uuid:{name}",
            "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", when), "creators": ["Tool: snapfreeze-image-root"]},
            "packages": entries, "files": files,
            "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations]}


def write(path, content):
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    path.chmod(0o644)
