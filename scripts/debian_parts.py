"""What dpkg knows of files and packages, and which licences a package names. Packages have the names that dpkg uses for several
architectures: `libc6:arm64`."""
import os
import pathlib
import re
import subprocess
import typing

FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version", "Maintainer")
# https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ to https://spdx.org/licenses/
SPDX = {
    "0bsd": "0BSD", "apache-2.0": "Apache-2.0", "artistic": "Artistic-1.0-Perl", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause",
    "bsl-1.0": "BSL-1.0", "cc0-1.0": "CC0-1.0", "cc0": "CC0-1.0", "expat": "MIT", "gpl-1+": "GPL-1.0-or-later", "gpl-2": "GPL-2.0-only",
    "gpl-2.0": "GPL-2.0-only", "gpl-2+": "GPL-2.0-or-later", "gpl-2.0+": "GPL-2.0-or-later", "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later", "gpl-3.0+": "GPL-3.0-or-later", "isc": "ISC", "lgpl-2": "LGPL-2.0-only", "lgpl-2+": "LGPL-2.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+": "LGPL-2.1-or-later", "lgpl-3+": "LGPL-3.0-or-later", "mit": "MIT", "mpl-2.0": "MPL-2.0",
    "unlicense": "Unlicense", "x11": "X11", "zlib": "Zlib",
}
# Of sources whose copyright file is prose, by what it says of what we ship.
PROSE = {"glibc": "LGPL-2.1-or-later", "gcc": "GPL-3.0-or-later WITH GCC-exception-3.1", "base-files": "GPL-2.0-or-later"}


class Package(typing.NamedTuple):
    name: str
    version: str
    architecture: str
    source: str
    source_version: str
    maintainer: str
    copyright: pathlib.Path


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def owners(paths):
    """Path -> package."""
    # A merged /usr has two names for a file, of which dpkg knows the one that was packed.
    names = {path: [os.path.realpath(path), os.path.realpath(path).removeprefix("/usr")] for path in paths}
    # It fails when it does not know one of them, and says the others all the same.
    said = subprocess.run(["dpkg-query", "-S", *sum(names.values(), [])], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False).stdout
    # "libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6"
    known = {line.rsplit(": ", 1)[1]: line.split(": ")[0].split(",")[0] for line in said.splitlines()}
    found = {path: known.get(real) or known.get(packed) for path, (real, packed) in names.items()}
    for path, package in found.items():
        if not package:
            raise SystemExit(f"no Debian package has {path}; only what comes from one is shipped")
    return found


def installed(name):
    said = dict(zip(FIELDS, output("dpkg-query", "-W", "-f", "\\t".join(f"${{{field}}}" for field in FIELDS), name).split("\t")))
    return Package(*said.values(), pathlib.Path("/usr/share/doc", said["Package"], "copyright"))


def unpacked(folder):
    """The package of an unpacked Debian source, of which a part was compiled in."""
    first = (folder / "debian/changelog").read_text(encoding="utf-8").splitlines()[0]
    name, version = re.match(r"(\S+) \((\S+)\)", first).groups()
    maintainer = re.search(r"^Maintainer: (.*)$", (folder / "debian/control").read_text(encoding="utf-8"), re.MULTILINE)[1]
    return Package(name, version, "source", name, version, maintainer, folder / "debian/copyright")


def licences(package):
    """An SPDX expression, and the texts of the licences in it that SPDX does not know: name -> text."""
    text = package.copyright.read_text(encoding="utf-8")
    texts = {}

    def reference(name, said):
        called = f"LicenseRef-{package.source}-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")
        texts[called] = said
        return called

    if not re.match(r"Format: *https?://\S+/copyright-format/1", text):
        known = PROSE.get(re.sub(r"-\d+(-cross)?$", "", package.source))
        return known or reference("copyright", text), texts
    said = {}  # of the file's paragraphs, the longest for each licence: the others only name it
    for name, body in re.findall(r"^License:[ \t]*(\S.*)\n((?:[ \t].*\n)*)", text + "\n", re.MULTILINE):
        said[name.strip()] = max(said.get(name.strip(), ""), body, key=len)

    def of_one(name):
        return SPDX.get(name.lower()) or reference(name, said.get(name) or text)

    def of_names(names):
        if " with " in names.lower():
            return of_one(names)
        choices = [of_one(choice.strip(" ,")) for choice in re.split(r" or |-or-", names)]
        return choices[0] if len(choices) == 1 else "(" + " OR ".join(sorted(set(choices))) + ")"

    every = {of_names(part.strip(" ,")) for names in said for part in re.split(r" and |, (?!or)", names)}
    return " AND ".join(sorted(every)), texts
