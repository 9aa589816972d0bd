"""Lists of parts as SPDX 2.3, in the form that pyspdxtools and ntia-checker accept: each file, the Debian package that it came from, and
the packages whose code is in the program."""
import hashlib
import json
import os
import re
import time
import uuid
from urllib.parse import quote

from debian_parts import licences

MAKER = "Organization: snapfreeze"


def identifier(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def distribution():
    with open("/etc/os-release", encoding="utf-8") as file:
        said = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    return f"{said['ID']}-{said['VERSION_ID']}".replace('"', "")


def package_entry(package, licence):
    # The form of a Debian package in https://github.com/package-url/purl-spec.
    name, version, upstream = (quote(text, safe=":") for text in (
        package.name, package.version, f"{package.source}@{package.source_version}"))
    purl = f"pkg:deb/debian/{name}@{version}?arch={package.architecture}&distro={distribution()}&upstream={upstream}"
    return {"SPDXID": identifier("Package", package.name), "name": package.name, "versionInfo": package.version,
            "supplier": "Organization: Debian", "originator": "Person: " + package.maintainer,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", "sourceInfo": f"source package {package.source} {package.source_version}",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}


def file_entry(path, name):
    content = path.read_bytes()
    return {"SPDXID": identifier("File", name), "fileName": "." + name, "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION",
            "checksums": [{"algorithm": kind.upper(), "checksumValue": hashlib.new(kind, content).hexdigest()}
                          for kind in ("sha1", "sha256")]}


def verification_code(files):
    """Of https://spdx.github.io/spdx-spec/v2.3/package-information/#79-package-verification-code-field"""
    sums = sorted(entry["checksums"][0]["checksumValue"] for entry in files)
    return hashlib.sha1("".join(sums).encode()).hexdigest()


def document(version, purpose, files, linked):
    """`files`: name -> (path, Package or None for our own); `linked`: packages whose code was compiled into the program; `purpose` of
    the whole, in SPDX's words."""
    own = identifier("Package", "snapfreeze")
    packages = sorted({origin for _, origin in files.values() if origin} | set(linked))
    entries, extracted = [], {}
    for package in packages:
        licence, texts = licences(package)
        entries.append(package_entry(package, licence))
        extracted |= texts
    listed, relations = [], [("SPDXRef-DOCUMENT", "DESCRIBES", own)]
    for name, (path, origin) in sorted(files.items()):
        listed.append(file_entry(path, name))
        relations.append((own, "CONTAINS", listed[-1]["SPDXID"]))
        if origin:
            relations.append((listed[-1]["SPDXID"], "EXPANDED_FROM_ARCHIVE", identifier("Package", origin.name)))
    shipped = {origin.name for _, origin in files.values() if origin}
    relations += [(own, "DEPENDS_ON", identifier("Package", name)) for name in sorted(shipped)]
    relations += [(own, "STATIC_LINK", identifier("Package", package.name)) for package in sorted(set(linked))]
    entries.insert(0, {"SPDXID": own, "name": "snapfreeze", "versionInfo": version, "supplier": MAKER, "downloadLocation": "NOASSERTION",
                       "filesAnalyzed": True, "packageVerificationCode": {"packageVerificationCodeValue": verification_code(listed)},
                       "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
                       "primaryPackagePurpose": purpose})
    # Of the same parts the same name.
    name = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([entries, listed], sort_keys=True))
    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"snapfreeze-{version}",
            "documentNamespace": f"urn:uuid:{name}",
            "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", when), "creators": [MAKER, "Tool: snapfreeze-sbom"]},
            "packages": entries, "files": listed,
            "hasExtractedLicensingInfos": [{"licenseId": called, "name": called.removeprefix("LicenseRef-"), "extractedText": text}
                                           for called, text in sorted(extracted.items())],
            "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations]}


def write(path, content):
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    path.chmod(0o644)
