"""The load's records (format: writer.c), as found on one restored disk. Pure: bytes in, findings out."""
import re
import struct
import zlib
from dataclasses import dataclass

HEADER = struct.Struct("<4sIQQ")
MAGIC = b"SFRZ"
SEGMENT_RECORDS = 64
SEGMENTS_KEPT = 3  # an older one is removed after the newest was begun
STREAMS = ("sync", "lazy")


@dataclass(frozen=True)
class Problem:
    """kind: journal, mount, kernel, fsck (the filesystem); torn, missing, apart (what an application sees)."""
    kind: str
    text: str


@dataclass(frozen=True)
class Position:
    """Where a stream ended: the number of its last record, -1 before the first."""
    run: int
    number: int


def parse(data):
    """(records as (run, number), bytes left over that are no whole record)."""
    records, offset = [], 0
    while len(data) - offset >= HEADER.size:
        magic, length, run, number = HEADER.unpack_from(data, offset)
        record = data[offset:offset + length]
        if magic != MAGIC or length < HEADER.size + 4 or len(record) < length:
            break
        if zlib.crc32(record[:-4]) != int.from_bytes(record[-4:], "little"):
            break
        records.append((run, number))
        offset += length
    return records, len(data) - offset


def read_stream(files, stream):
    """files: name -> bytes. (Position or None, problems)."""
    segments = sorted((int(match[1]), name) for name in files if (match := re.fullmatch(rf"{stream}\.(\d+)", name)))
    if not segments:
        return None, [Problem("missing", f"{stream}: no record at all")]
    problems, run = [], None
    expected = min(segments[0][0], max(0, segments[-1][0] + 1 - SEGMENTS_KEPT)) * SEGMENT_RECORDS
    for segment, name in segments:
        if expected != segment * SEGMENT_RECORDS:
            problems.append(Problem("missing", f"{name}: begins at record {segment * SEGMENT_RECORDS}, not {expected}"))
            expected = segment * SEGMENT_RECORDS
        records, left_over = parse(files[name])
        for found in records:
            run = run if run is not None else found[0]
            if found != (run, expected):
                problems.append(Problem("missing", f"{name}: record {found[1]} of run {found[0]}, not {expected}"))
            run, expected = found[0], found[1] + 1
        if left_over:
            problems.append(Problem("torn", f"{name}: record {expected} is torn, {left_over} bytes are no record"))
    return Position(run, expected - 1), problems


def read_churn(files):
    """Each small file is one whole record; the draft, never renamed, may be anything."""
    names = [name for name in files if re.fullmatch(r"churn/\d+", name)]
    if not names:
        return [Problem("missing", "churn: no small file at all")]
    problems = []
    for name in names:
        records, left_over = parse(files[name])
        if len(records) != 1 or left_over:
            problems.append(Problem("torn", f"{name}: {len(files[name])} bytes, not one whole record"))
    return problems


def compare(stream, positions):
    """positions: disk -> Position or None. Written A, B, C: of one moment, no disk is more than one record ahead."""
    if None in positions.values():
        return []  # said already by read_stream
    runs = {position.run for position in positions.values()}
    numbers = [position.number for position in positions.values()]
    if len(runs) == 1 and max(numbers) - min(numbers) <= 1:
        return []
    where = ", ".join(f"{disk} at {position.number}" for disk, position in sorted(positions.items()))
    return [Problem("apart", f"{stream}: {where}" + ("" if len(runs) == 1 else ", from different boots"))]


def judge_records(disks):
    """disks: name -> (file name -> bytes), of one backup. All problems an application would meet."""
    problems, positions = [], {stream: {} for stream in STREAMS}
    for disk, files in sorted(disks.items()):
        found = read_churn(files)
        for stream in STREAMS:
            positions[stream][disk], more = read_stream(files, stream)
            found += more
        problems += [Problem(one.kind, f"disk {disk}: {one.text}") for one in found]
    for stream in STREAMS:
        problems += compare(stream, positions[stream])
    return problems
