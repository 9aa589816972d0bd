"""index.py NAME OUT ARCH=LAYOUT...: makes one OCI archive, the file OUT, from the images in these OCI layouts, one for each architecture.
Prints its digest, which is the image's digest for every architecture.

NAME is the full name with the tag. The archive has it twice: containerd reads an annotation of its own, all others read OCI's. Both would
misread a tag alone. SOURCE_DATE_EPOCH is the time of every file."""
import hashlib
import io
import json
import os
import pathlib
import sys
import tarfile

INDEX = "application/vnd.oci.image.index.v1+json"


class Archive:
    def __init__(self, path):
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
        self._files = {}

    def add(self, name, content):
        self._files[name] = content

    def blob(self, media_type, content):
        """A descriptor of it."""
        digest = hashlib.sha256(content).hexdigest()
        self.add(f"blobs/sha256/{digest}", content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def close(self):
        folders = {str(parent) for name in self._files for parent in pathlib.Path(name).parents} - {"."}
        for name in sorted({*self._files, *folders}):
            member = tarfile.TarInfo(name)
            member.mtime = int(os.environ["SOURCE_DATE_EPOCH"])
            if name in folders:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                self._tar.addfile(member)
            else:
                member.mode, member.size = 0o644, len(self._files[name])
                self._tar.addfile(member, io.BytesIO(self._files[name]))
        self._tar.close()


def add_image(archive, layout, arch):
    """The descriptor of a layout's one image."""
    layout = pathlib.Path(layout)
    (found,) = json.loads((layout / "index.json").read_text(encoding="utf-8"))["manifests"]
    manifest = (layout / "blobs" / found["digest"].replace(":", "/")).read_bytes()
    for part in [(said := json.loads(manifest))["config"], *said["layers"]]:
        archive.blob(part["mediaType"], (layout / "blobs" / part["digest"].replace(":", "/")).read_bytes())
    config = json.loads((layout / "blobs" / said["config"]["digest"].replace(":", "/")).read_text(encoding="utf-8"))
    if config["architecture"] != arch:
        sys.exit(f"index.py: the image in {layout} is for {config['architecture']}, not for {arch}")
    return archive.blob(found["mediaType"], manifest) | {"platform": {"architecture": arch, "os": "linux"}}


def main():
    name, out, *layouts = sys.argv[1:]
    archive = Archive(out)
    images = [add_image(archive, layout, arch) for arch, layout in (pair.split("=", 1) for pair in layouts)]
    index = archive.blob(INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": images}).encode())
    index["annotations"] = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    archive.add("index.json", json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]}).encode())
    archive.add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    archive.close()
    print(index["digest"])


main()
