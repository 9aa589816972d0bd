"""The oracle's rules on bytes alone: each kind of damage is named, and an undamaged disk passes."""
import struct
import unittest
import zlib

from records import HEADER, MAGIC, SEGMENT_RECORDS, judge_records, parse

RUN = 7


def record(number, run=RUN, payload=b"x" * 50):
    body = HEADER.pack(MAGIC, HEADER.size + len(payload) + 4, run, number) + payload
    return body + struct.pack("<I", zlib.crc32(body))


def disk(last, run=RUN):
    """A disk as the writer leaves it after record `last` of both streams."""
    files = {"churn/0": record(3, run), "churn/1": record(4, run), "churn/draft": b""}
    for stream in ("sync", "lazy"):
        newest = last // SEGMENT_RECORDS
        for segment in range(max(0, newest - 2), newest + 1):
            first = segment * SEGMENT_RECORDS
            numbers = range(first, min(last, first + SEGMENT_RECORDS - 1) + 1)
            files[f"{stream}.{segment}"] = b"".join(record(number, run) for number in numbers)
    return files


def backup(a=150, b=150, c=149):
    return {"A": disk(a), "B": disk(b), "C": disk(c)}


class Records(unittest.TestCase):
    def assert_found(self, disks, *kinds):
        self.assertEqual(sorted({problem.kind for problem in judge_records(disks)}), sorted(kinds))

    def test_disks_of_one_moment_pass(self):
        self.assert_found(backup())

    def test_a_new_segment_without_records_passes(self):
        disks = backup(191, 191, 191)
        disks["A"]["sync.3"] = b""
        self.assert_found(disks)

    def test_two_records_between_disks_are_apart(self):
        self.assert_found(backup(a=151), "apart")

    def test_disks_of_different_boots_are_apart(self):
        disks = backup()
        disks["C"] = disk(150, run=8)
        self.assert_found(disks, "apart")

    def test_a_flipped_byte_is_torn(self):
        disks = backup()
        content = bytearray(disks["B"]["sync.1"])
        content[40] ^= 1
        disks["B"]["sync.1"] = bytes(content)
        self.assertIn("torn", {problem.kind for problem in judge_records(disks)})

    def test_half_a_record_at_the_end_is_torn(self):
        disks = backup()
        disks["A"]["lazy.2"] += record(151)[:30]
        self.assert_found(disks, "torn")

    def test_zeroes_at_the_end_are_torn(self):
        disks = backup()
        disks["A"]["lazy.2"] += bytes(4096)
        self.assert_found(disks, "torn")

    def test_a_record_left_out_is_missing(self):
        disks = backup()
        content = disks["A"]["sync.1"]
        size = len(record(0))
        disks["A"]["sync.1"] = content[:5 * size] + content[6 * size:]
        self.assert_found(disks, "missing")

    def test_a_segment_left_out_is_missing(self):
        for segment in (0, 1):
            disks = backup()
            del disks["C"][f"lazy.{segment}"]
            self.assert_found(disks, "missing")

    def test_a_stream_left_out_is_missing(self):
        disks = backup()
        disks["B"] = {name: content for name, content in disks["B"].items() if not name.startswith("sync")}
        self.assert_found(disks, "missing")

    def test_an_empty_small_file_is_torn(self):
        disks = backup()
        disks["C"]["churn/1"] = b""
        self.assert_found(disks, "torn")

    def test_no_small_file_is_missing(self):
        disks = backup()
        disks["C"] = {name: content for name, content in disks["C"].items() if not name.startswith("churn")}
        self.assert_found(disks, "missing")

    def test_hostile_lengths_end_the_parsing(self):
        for length in (0, 4, 2**32 - 1):
            self.assertEqual(parse(HEADER.pack(MAGIC, length, RUN, 0) + bytes(8)), ([], HEADER.size + 8))


if __name__ == "__main__":
    unittest.main()
