"""The oracle's checks of filesystems by host tools, on images made here. No guest is booted."""
import pathlib
import subprocess
import tempfile
import unittest

import oracle
import planted

# What xfs_logprint -t shows of a frozen XFS, and of one under load.
COVERED_LOG = """    log tail: 1543 head: 1547 state: <DIRTY>
TRANS: tid:0x377cdecd  #items:2  trans:0x377cdecd  q:0x55fd61d7b650
BUF: cnt:2 total:2 a:0x55fd61d733e0 len:24 a:0x55fd61d7b6d0 len:384
\tBUF:  #regs:2   start blkno:0x0   len:1   bmap size:1   flags:0x9000
\tSUPER Block Buffer:
"""
BUSY_LOG = COVERED_LOG + """INO: cnt:2 total:2 a:0x5624a6410d90 len:56 a:0x5624a6422eb0 len:176
\tINODE: #regs:2   ino:0x4008b  flags:0x1   dsize:0
\tCORE inode:
BUF: cnt:2 total:2 a:0x5624a6410ba0 len:24 a:0x5624a642c310 len:128
\tBUF:  #regs:2   start blkno:0x1   len:1   bmap size:1   flags:0x2800
\tAGF Buffer: (XAGF)
\tBUF DATA
"""


class Filesystems(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def image(self, *mkfs):
        path = self.folder / "disk.img"
        with open(path, "wb") as file:
            file.truncate(320 << 20)
        subprocess.run([*mkfs, path], check=True, capture_output=True)
        return path

    def ext4(self):
        content = self.folder / "content/load"
        content.mkdir(parents=True)
        (content / "sync.0").write_bytes(b"x" * 5000)
        return self.image("mkfs.ext4", "-q", "-d", content.parent)

    def test_ext4_at_rest_passes(self):
        image = self.ext4()
        self.assertIsNone(oracle.journal_problem(image))
        self.assertIsNone(oracle.fsck_problem(image))

    def test_ext4_that_wants_a_replay_is_named(self):
        image = self.ext4()
        planted.want_replay(image)
        self.assertEqual(oracle.journal_problem(image).kind, "journal")

    def test_ext4_with_a_lost_inode_is_named(self):
        image = self.ext4()
        planted.lose_inode(image)
        self.assertEqual(oracle.fsck_problem(image).kind, "fsck")

    def test_ext4_without_superblock_is_named(self):
        image = self.ext4()
        with open(image, "r+b") as file:
            file.write(bytes(8192))
        self.assertEqual(oracle.journal_problem(image).kind, "journal")
        self.assertEqual(oracle.fsck_problem(image).kind, "fsck")

    def test_xfs_at_rest_passes(self):
        image = self.image("mkfs.xfs", "-q")
        self.assertIsNone(oracle.journal_problem(image))
        self.assertIsNone(oracle.fsck_problem(image))

    def test_xfs_with_a_damaged_inode_is_named(self):
        image = self.image("mkfs.xfs", "-q")
        subprocess.run(["xfs_db", "-x", "-c", "sb 0", "-c", "addr rootino", "-c", "write core.nlinkv2 77", image],
                       check=True, capture_output=True)
        self.assertEqual(oracle.fsck_problem(image).kind, "fsck")

    def test_the_log_of_a_frozen_xfs_holds_nothing_to_replay(self):
        self.assertEqual(oracle.logged_items(COVERED_LOG), [])

    def test_the_log_of_a_busy_xfs_does(self):
        self.assertEqual(oracle.logged_items(BUSY_LOG), ["INODE", "AGF Buffer", "BUF DATA"])

    def test_a_mount_that_failed_or_was_not_tried_is_named(self):
        self.assertEqual([p.kind for p in oracle.mount_problems({"mount": b"mount: Invalid argument\n"})], ["mount"])
        self.assertEqual([p.kind for p in oracle.mount_problems({})], ["mount"])
        self.assertEqual(list(oracle.mount_problems({"mount": b"0\n"})), [])

    def test_what_the_kernel_complains_of_is_named(self):
        seen = {"mount": b"0\n", "kernel": b"[ 1.0] EXT4-fs error (device vda): ext4_lookup: deleted inode\n"}
        self.assertEqual([p.kind for p in oracle.mount_problems(seen)], ["kernel"])


if __name__ == "__main__":
    unittest.main()
