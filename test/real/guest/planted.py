"""Damage planted into good images. The oracle must name each kind, since an oracle that cannot fail proves nothing."""
import re
import subprocess

from oracle import ToolError, run_tool


def debugfs(image, request):
    code, said = run_tool("debugfs", "-w", "-R", request, image)
    if code != 0 or "not found" in said:
        raise ToolError(f"debugfs cannot `{request}` on {image}: {said.strip()}")
    return said


def segments(image, stream):
    """Names of a stream's files on an ext4 image, oldest first."""
    names = re.findall(rf"/({stream}\.\d+)/", debugfs(image, "ls -p /load"))
    return sorted(names, key=lambda name: int(name.split(".")[1]))


def tear_record(image):
    """A byte of the oldest segment of `sync` changes."""
    name = segments(image, "sync")[0]
    block = int(re.search(r"^\d+", debugfs(image, f"blocks /load/{name}"), re.M)[0])
    size = int(re.search(r"Block size:\s+(\d+)", run_tool("dumpe2fs", "-h", image)[1])[1])
    with open(image, "r+b") as file:
        file.seek(block * size + 40)
        byte = file.read(1)[0]
        file.seek(block * size + 40)
        file.write(bytes([byte ^ 0xFF]))


def lose_records(image):
    """The segment before the newest of `lazy` is gone."""
    names = segments(image, "lazy")
    if len(names) < 2:
        raise ToolError(f"only {names} on {image}: the load has not written enough to lose some of it")
    debugfs(image, f"rm /load/{names[-2]}")


def lose_inode(image):
    """A directory entry leads nowhere."""
    debugfs(image, f"clri /load/{segments(image, 'sync')[-1]}")


def want_replay(image):
    """The ext4 journal claims to hold changes."""
    debugfs(image, "feature needs_recovery")


# What is planted -> (the damage, done to disk C, the kind of problem that the oracle must find)
PLANTED = {"a torn record": (tear_record, "torn"), "records lost": (lose_records, "missing"),
           "a lost inode": (lose_inode, "fsck"), "an unclean journal": (want_replay, "journal")}


def plant(disks, folder):
    """disks: disk -> image of a good backup. Damaged copies, in the order of PLANTED."""
    backups = []
    for number, (damage, _) in enumerate(PLANTED.values()):
        copies = {disk: folder / f"planted-{number}-{disk}.img" for disk in disks}
        for disk, image in disks.items():
            subprocess.run(["cp", "--sparse=always", image, copies[disk]], check=True, timeout=60)
        damage(copies["C"])
        backups.append(copies)
    return backups


def unseen(judgements):
    """Planted damage that the oracle did not name, as sentences."""
    return [f"{name}, planted into disk C, was not found" for (name, (_, kind)), judgement
            in zip(PLANTED.items(), judgements) if not any(problem.kind == kind for problem in judgement.problems)]
