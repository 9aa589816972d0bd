#!/usr/bin/python3
"""Builds the guest's kernel and initramfs from Debian's packages, and prints the folder they are in.

Nothing is installed: packages are downloaded by apt-get and unpacked by dpkg. The folder's name is the hash of all inputs
(packages by the checksum in apt's signed lists, our own files by content). So a changed package or file makes a new image,
and an unchanged one costs only the look-up.
"""
import gzip
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = ["build_image.py", "init", "judge", "writer.c"]
# In the order in which the kernel accepts them; what a kernel has built in is left out.
MODULES = ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk",
           "virtio_console", "libcrc32c", "xfs"]
# The libraries that qemu-ga is linked with; Debian 13 adds "t64" to some names.
AGENT_LIBRARIES = re.compile(r"lib(c6|glib2\.0-0|numa1|udev1|uring2|pcre2-8-0)(t64)?$")


class BuildError(Exception):
    """Says what is missing and what would be right."""


def output_of(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise BuildError(f"`{' '.join(map(str, command))}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def package_names():
    depends = output_of("apt-cache", "depends", "linux-image-cloud-amd64")
    kernel = re.search(r"Depends: (linux-image-[0-9]\S+)", depends)
    if not kernel:
        raise BuildError("apt knows no kernel behind linux-image-cloud-amd64: "
                         "is this Debian on amd64, after `apt-get update`?")
    recursive = ["--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces",
                 "--no-enhances"]
    closure = output_of("apt-cache", "depends", *recursive, "qemu-guest-agent").split("\n")
    libraries = sorted({name for name in closure if AGENT_LIBRARIES.match(name)})
    return [kernel.group(1), "busybox-static", "qemu-guest-agent", *libraries]


def package_uris(names):
    """Lines of apt: 'uri' file size checksum."""
    return output_of("apt-get", "download", "--print-uris", *names)


def image_key(uris):
    key = hashlib.sha256(re.sub(r"^'\S+' ", "", uris, flags=re.M).encode())
    for name in SOURCES:
        key.update((HERE / name).read_bytes())
    return key.hexdigest()[:16]


def unpack(names, folder):
    output_of("apt-get", "download", "-o", "APT::Sandbox::User=root", *names, cwd=folder)
    root = folder / "root"
    for package in sorted(folder.glob("*.deb")):
        output_of("dpkg", "-x", package, root)
    return root


def agent_files(root):
    """Paths of qemu-ga's libraries in the guest -> where they are now, as the unpacked loader itself finds them."""
    folders = [str(path) for path in root.rglob("x86_64-linux-gnu") if path.is_dir()]
    loader = next(path for path in root.rglob("ld-linux-x86-64.so.2") if not path.is_symlink())
    agent = root / "usr/sbin/qemu-ga"
    listing = output_of(loader, "--library-path", ":".join(folders), "--list", agent)
    found = re.findall(r"(\S+) => (\S+)", listing)
    outside = [name for name, path in found if not path.startswith(str(root)) and name != str(loader)]
    if "not found" in listing or outside:
        raise BuildError(f"qemu-ga needs libraries that AGENT_LIBRARIES does not name:\n{listing}")
    files = {f"lib/x86_64-linux-gnu/{name}": pathlib.Path(path) for name, path in found if "/" not in name}
    return {**files, "lib64/ld-linux-x86-64.so.2": loader, "usr/sbin/qemu-ga": agent}


def kernel_modules(root):
    """Name -> bytes, decompressed, for the modules that the kernel does not have built in."""
    release = next((path for path in root.glob("**/modules/*") if (path / "modules.builtin").exists()))
    builtin = (release / "modules.builtin").read_text()
    modules = {}
    for name in MODULES:
        path = next(iter(release.rglob(f"{name}.ko*")), None)
        if path:
            content = path.read_bytes()
            modules[name] = lzma.decompress(content) if path.suffix == ".xz" else content
        elif f"/{name}.ko" not in builtin and name != "libcrc32c":  # newer kernels have no libcrc32c any more
            raise BuildError(f"{release.name} has no module {name}")
    return modules


def cpio_entry(number, name, mode, content):
    """One member of a newc archive (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst)."""
    encoded = name.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return header + b"\0" * (-len(header) % 4) + content + b"\0" * (-len(content) % 4)


def cpio(files):
    """files: path -> bytes. Everything is executable: this is a guest with one user."""
    folders = sorted({str(parent) for name in files for parent in pathlib.PurePath(name).parents} - {"."})
    members = [(name, stat.S_IFDIR | 0o755, b"") for name in folders]
    members += [(name, stat.S_IFREG | 0o755, content) for name, content in sorted(files.items())]
    members.append(("TRAILER!!!", 0, b""))
    return b"".join(cpio_entry(number, *member) for number, member in enumerate(members, 1))


def build(names, folder):
    root = unpack(names, folder)
    writer = folder / "writer"
    output_of("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", writer, HERE / "writer.c")
    modules = kernel_modules(root)
    busybox = next(path for path in root.rglob("busybox") if path.parent.name == "bin")
    files = {name: path.read_bytes() for name, path in agent_files(root).items()}
    files.update({f"modules/{name}.ko": content for name, content in modules.items()})
    files.update({"modules/order": "\n".join(modules).encode(), "bin/busybox": busybox.read_bytes(),
                  "writer": writer.read_bytes(), "init": (HERE / "init").read_bytes(),
                  "judge": (HERE / "judge").read_bytes()})
    # Level 1: the emulated guest pays for unpacking, the disk's size does not matter.
    (folder / "initrd").write_bytes(gzip.compress(cpio(files), 1, mtime=0))
    shutil.copyfile(next(root.glob("boot/vmlinuz-*")), folder / "vmlinuz")


def cache_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(cache) / "snapfreeze"


def image(progress=lambda text: None):
    """The folder with `vmlinuz` and `initrd`, built if need be."""
    for tool in ("apt-get", "apt-cache", "dpkg", "gcc"):
        if not shutil.which(tool):
            raise BuildError(f"{tool} is missing; the guest image is built on Debian with apt, dpkg and gcc")
    names = package_names()
    folder = cache_folder() / f"guest-{image_key(package_uris(names))}"
    if folder.exists():
        return folder
    progress(f"building the guest image from {names[0]}, busybox-static and qemu-guest-agent")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="guest-build-", dir=folder.parent) as scratch:
        build(names, pathlib.Path(scratch))
        done = pathlib.Path(scratch) / "image"
        done.mkdir()
        for name in ("vmlinuz", "initrd"):
            os.replace(pathlib.Path(scratch) / name, done / name)
        try:
            os.rename(done, folder)  # atomic: a killed build leaves no half image, and of two builds one wins
        except OSError:
            if not folder.exists():
                raise
    return folder


if __name__ == "__main__":
    try:
        print(image(lambda text: print(text, file=sys.stderr)))
    except BuildError as error:
        sys.exit(f"build_image.py: {error}")
