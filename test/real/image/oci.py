"""An OCI image in a tar archive: its configuration, and its files."""
import gzip
import hashlib
import io
import json
import tarfile


class Image:
    def __init__(self, path, arch=None):
        """`arch`: which of several."""
        with tarfile.open(path) as archive:
            self._blobs = {member.name.removeprefix("./"): archive.extractfile(member).read()
                           for member in archive.getmembers() if member.isfile()}
        index = json.loads(self._blobs["index.json"])
        manifest = json.loads(self.blob(index["manifests"][0]))
        if "manifests" in manifest:
            (found,) = [one for one in manifest["manifests"] if arch in (None, one["platform"]["architecture"])]
            manifest = json.loads(self.blob(found))
        self.config = json.loads(self.blob(manifest["config"]))
        self.layers = [gzip.decompress(self.blob(layer)) for layer in manifest["layers"]]
        for layer, diff_id in zip(self.layers, self.config["rootfs"]["diff_ids"], strict=True):
            self._verify(layer, diff_id)

    def blob(self, descriptor):
        """What a descriptor names; it must be what the digest says."""
        content = self._blobs["blobs/" + descriptor["digest"].replace(":", "/")]
        self._verify(content, descriptor["digest"])
        return content

    def members(self):
        """Name -> what the layers say of the file."""
        found = {}
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                found.update({member.name.removeprefix("./").rstrip("/"): member for member in archive.getmembers()})
        return found

    def size(self):
        """Bytes of all files, uncompressed."""
        return sum(member.size for member in self.members().values())

    def unpack(self, directory):
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                archive.extractall(directory, numeric_owner=True)

    @staticmethod
    def _verify(content, digest):
        found = "sha256:" + hashlib.sha256(content).hexdigest()
        if found != digest:
            raise ValueError(f"a blob is {found} and not {digest}")
