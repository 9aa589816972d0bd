"""Judges restored backups by what filesystem and application find on the disks. It knows nothing of freezes and verdicts.

Each backup is checked three times. Host tools read its journals as they were cut. Then one fresh guest mounts all backups,
as after a restore, and replays their journals. Then fsck checks the disks that it left, and the files that it read are
checked against the load's rules (records.py).
"""
import pathlib
import re
import subprocess
import tarfile
from dataclasses import dataclass, field

from machine import Machine, MachineError, sparse_copy
from records import Problem, judge_records

FILESYSTEM_KINDS = ("journal", "mount", "kernel", "fsck")
BACKUPS_A_BOOT = 8  # 24 disks and the answer's fit on one PCI bus
ANSWER_BYTES = 2 << 30
BOOT_SECONDS = 300
COMPLAINTS = re.compile(r".*(EXT4-fs error|EXT4-fs warning|Corruption|Internal error|I/O error|corrupt).*")


class ToolError(Exception):
    """A tool of the host could not judge at all."""


@dataclass
class Judgement:
    problems: list = field(default_factory=list)

    @property
    def consistent(self):
        """At rest when it was cut: nothing to replay, nothing torn, all disks of one moment."""
        return not self.problems

    @property
    def contents_whole(self):
        """What an application finds after the replay is whole and of one moment."""
        return all(problem.kind == "journal" for problem in self.problems)


def run_tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    return done.returncode, done.stdout + done.stderr


def is_xfs(image):
    with open(image, "rb") as file:
        return file.read(4) == b"XFSB"


def logged_items(log):
    """What an XFS log holds beyond superblocks: the log of a frozen XFS is covered by these, on purpose never empty."""
    items = re.findall(r"^\t(INODE|BUF DATA|DQUOT|QUOTAOFF|EFI|EFD|RUI|RUD|CUI|CUD|BUI|BUD|\S.*Buffer)\b", log, re.M)
    return [item for item in items if item != "SUPER Block Buffer"]


def journal_problem(image):
    """Whether the journal, untouched since the cut, has to be replayed: Problem or None."""
    if is_xfs(image):
        code, log = run_tool("xfs_logprint", "-t", image)
        if code != 0 or "log tail" not in log:
            raise ToolError(f"xfs_logprint cannot read {image}: {log.strip()}")
        items = logged_items(log)
        return Problem("journal", f"{len(items)} changes in XFS's log") if items else None
    code, header = run_tool("dumpe2fs", "-h", image)
    if code != 0:
        return Problem("journal", f"no readable ext4 superblock: {header.strip().splitlines()[-1]}")
    features = re.search(r"^Filesystem features:(.*)$", header, re.M)[1].split()
    return Problem("journal", "ext4's journal has to be replayed") if "needs_recovery" in features else None


def fsck_problem(image):
    """Of an image at rest: Problem or None."""
    code, said = run_tool(*(["xfs_repair", "-n", "-f"] if is_xfs(image) else ["e2fsck", "-fn"]), image)
    lines = [line for line in said.splitlines() if line.strip()]
    return None if code == 0 else Problem("fsck", lines[-2] if len(lines) > 1 else said)


def boot(image, backups, disks, folder):
    """One fresh guest that mounts all disks, until it is off: the archive of what it found."""
    folder.mkdir(parents=True)
    answer = folder / "answer.tar"
    with open(answer, "wb") as file:
        file.truncate(ANSWER_BYTES)
    machine = Machine(image, folder, {**disks, "out": answer}, f"rig=judge backups={len(backups)}")
    try:
        machine.start()
        machine.wait_said("judge: done", 1, BOOT_SECONDS)
        machine.wait_off(60)
    finally:
        machine.stop()
    return answer


def boot_restored(image, backups, scratch):
    """Mounts all disks in a fresh guest, which replays their journals: (backup, disk) -> (file name -> bytes).

    A guest without KVM on a busy machine may get stuck, which says nothing about the backups: it has a second chance, on
    disks as they were cut.
    """
    scratch = pathlib.Path(scratch)
    disks = {f"{number}{disk}": path for number, images in enumerate(backups) for disk, path in images.items()}
    cut = {path: sparse_copy(path, f"{path}.cut") for path in disks.values()}
    try:
        answer = boot(image, backups, disks, scratch / "first")
    except MachineError as error:
        print(f"  the restoring guest is started once more: {error}", flush=True)
        for path, kept in cut.items():
            sparse_copy(kept, path)
        answer = boot(image, backups, disks, scratch / "second")
    for kept in cut.values():
        kept.unlink()
    found = {(number, disk): {} for number, images in enumerate(backups) for disk in images}
    with tarfile.open(answer, "r:") as archive:
        for member in archive:
            path = pathlib.PurePosixPath(member.name).parts
            if member.isfile() and len(path) >= 3:
                found[int(path[0]), path[1]]["/".join(path[2:])] = archive.extractfile(member).read()
    answer.unlink()
    return found


def mount_problems(seen):
    mounted = seen.get("mount", b"the guest did not say").decode(errors="replace").strip()
    if mounted != "0":
        yield Problem("mount", mounted)
    kernel = seen.get("kernel", b"").decode(errors="replace")
    complaint = COMPLAINTS.search(kernel)
    if complaint:
        yield Problem("kernel", complaint[0].strip())


def load_files(seen):
    prefix = "data/load/"
    return {name[len(prefix):]: content for name, content in seen.items() if name.startswith(prefix)}


def judge(image, backups, scratch):
    """image: of the fresh guest. backups: at most BACKUPS_A_BOOT of disk -> file; the files are changed. scratch: a
    folder that is not there yet.

    A list of Judgement in the same order.
    """
    judgements = [Judgement() for _ in backups]

    def note(number, disk, *problems):
        judgements[number].problems += [Problem(one.kind, f"disk {disk}: {one.text}") for one in problems if one]

    for number, disks in enumerate(backups):
        for disk, path in disks.items():
            note(number, disk, journal_problem(path))
    found = boot_restored(image, backups, scratch)
    for number, disks in enumerate(backups):
        for disk, path in disks.items():
            note(number, disk, *mount_problems(found[number, disk]), fsck_problem(path))
        judgements[number].problems += judge_records({disk: load_files(found[number, disk]) for disk in disks})
    return judgements
