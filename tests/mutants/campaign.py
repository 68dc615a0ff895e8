# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutants by seed and number, what our program says of each, and what the second reader says of those that ours accepts."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mutants import blocks, codecs, mutator, packing, receiver
from mutants.stream import BEGIN, END, FREE, FREEOBJECTS, MAGIC, OBJECT, TO_THE_END, WRITE, Record, join, split

TOP = Path(__file__).parents[2]
STREAMS = TOP / "tests/fixtures/streams"
PLATFORM = f"{os.uname().sysname.lower()}-{os.uname().machine}"
PROGRAM = Path(os.environ.get("ZFS_RECEIVE", TOP / f"native/{PLATFORM}/zfs_receive"))
PAGE = 4096
# Small ones, of every option of `zfs send`: most of the work is copying.
REAL = """
    tiny-plain tiny-c tiny-p tiny-Lec tiny-Lecp tiny-R grow-R zoff-plain zoff-R empty-plain cgzip-c cz128-c
    hostile/two-at hostile/zstd-good
""".split()


@dataclass
class Mutant:
    seed: str
    number: int
    origin: str
    done: list[str]
    stream: bytes

    def __str__(self):
        return f"mutant {self.number} of seed {self.seed}, from {self.origin}: {'; '.join(self.done)}"


def every_compression():
    """A stream with blocks of each compression, which no volume that was sent has all of."""
    chance, size, guid = random.Random(1), 8192, 7
    begin = Record.new(BEGIN, magic=MAGIC, versioninfo=1 | blocks.PACKED << 2, type=3, flags=0xC, toguid=guid)
    begin.header[56:64] = b"tank/v@s"
    records = [begin, Record.new(OBJECT, object=1, type=23, blksz=size, dn_slots=1), Record.new(FREE, object=1, offset=16 * size, length=TO_THE_END)]
    for number, compression in enumerate([codecs.LZJB, codecs.GZIP_9, codecs.ZLE, codecs.LZ4, codecs.ZSTD] * 3):
        stored = well_packed(compression, size, chance)
        fields = {"compressiontype": compression, "compressed_size": len(stored), "logical_size": size}
        records.append(Record.new(WRITE, stored, object=1, type=23, offset=number * size, **fields))
    records += [
        Record.new(OBJECT, object=2, type=24, blksz=512),
        Record.new(WRITE, blocks.size_property(16 * size), object=2, type=24, logical_size=512),
    ]
    records += [Record.new(FREEOBJECTS, firstobj=3, numobjs=29), Record.new(END)]
    for record in records[1:]:
        record["toguid"] = guid
    return records


def well_packed(compression, size, chance):
    """A block as a compressor makes it, up to the next sector."""
    while True:
        block = packing.some_data(chance, size // 2) + bytes(size // 2)
        stored = packing.pack(compression, block, chance)
        stored = stored.ljust(-(-len(stored) // 512) * 512, b"\0")
        try:
            if len(stored) < size and codecs.unpack(compression, stored, size) == block:
                return stored
        except codecs.Unreadable:
            pass


@functools.cache
def originals():
    return {**{name: split((STREAMS / f"{name}.zfs").read_bytes()) for name in REAL}, "every-compression": every_compression()}


def mutant(seed, number):
    chance = random.Random(f"{seed} {number}")
    origin = chance.choice(list(originals()))
    records = [record.copy() for record in originals()[origin]]
    done = mutator.mutate(records, chance)
    return Mutant(seed, number, origin, done, join(records))


def pages(offset, data):
    """A piece of a disk, as its pages that are not zeros."""
    for at in range(0, len(data), PAGE):
        page = data[at : at + PAGE]
        if page.strip(b"\0"):
            yield offset + at, page


def ours(stream, folder):
    """What our program makes of a stream as a raw file: guid, size, block size and pages; or its refusal."""
    src, path = folder / "mutant.zfs", folder / "mutant.raw"
    src.write_bytes(stream)
    options = json.dumps({"src": str(src), "path": str(path)})
    done = subprocess.run([PROGRAM, "-"], input=options, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done
    reply = json.loads(done.stdout)
    if done.returncode:
        return reply["msg"]
    volume = reply["volume"]
    with path.open("rb") as disk:
        found = dict(data(disk, volume["size"]))
    path.unlink()
    return int(volume["guid"]), volume["size"], volume["volblocksize"], found


def accepted(seed, numbers, folder):
    """The mutants that our program accepts, each with what it makes of it."""
    for number in numbers:
        one = mutant(seed, number)
        made = ours(one.stream, folder)
        if not isinstance(made, str):
            yield one, made


def data(disk, size):
    """The pages of a file with holes."""
    assert disk.seek(0, os.SEEK_END) == size
    end = 0
    while True:
        try:
            start = disk.seek(end, os.SEEK_DATA)
        except OSError:
            return
        end = disk.seek(start, os.SEEK_HOLE)
        disk.seek(start)
        yield from pages(start, disk.read(end - start))


def theirs(stream):
    """What the second reader makes of it, in the same form; or why it makes nothing of it."""
    try:
        volume = receiver.receive(stream)
        found = {at: page for offset, block in volume.content().items() for at, page in pages(offset, block)}
        return volume.guid, volume.size(), volume.objects[1].blksz, found
    except (receiver.Refused, receiver.Undefined) as error:
        return f"{type(error).__name__}: {error}"


def difference(accepted, other):
    """Between what our program accepted and the second reader's view; nothing where they agree."""
    if isinstance(other, str):
        return other
    for name, mine, its in zip(("guid", "size", "block size"), accepted, other, strict=False):
        if mine != its:
            return f"{name}: {mine} here, {its} in ZFS"
    mine, its = accepted[3], other[3]
    wrong = sorted(at for at in mine.keys() | its.keys() if mine.get(at) != its.get(at))
    return f"content: {len(wrong)} pages, the first at {wrong[0]}" if wrong else ""


def manifest():
    """The streams that real ZFS sent, and the digests of what it then received."""
    for line in (STREAMS / "manifest.tsv").read_text().splitlines()[1:]:
        row = line.split("\t")
        yield row[0], row[8]


def digest(size, found):
    """Of a whole disk, given its size and its pieces by offset."""
    disk = bytearray(size)
    for offset, piece in found.items():
        disk[offset : offset + len(piece)] = piece
    return hashlib.sha256(disk).hexdigest()


def keep(mutant):
    """Where the stream of a mutant is kept for those who look for its fault."""
    folder = TOP / "tests/output/mutants"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{mutant.seed}-{mutant.number}.zfs"
    kept.write_bytes(mutant.stream)
    return kept


def main(seed, number):
    """One mutant again, and what both say of it."""
    again = mutant(seed, int(number))
    print(f"{again}\nkept as {keep(again)}")
    with tempfile.TemporaryDirectory() as folder:
        mine = ours(again.stream, Path(folder))
    its = theirs(again.stream)
    print("our program:", mine if isinstance(mine, str) else "accepted")
    print("ZFS:", its if isinstance(its, str) else "received")
    if not isinstance(mine, str):
        print("difference:", difference(mine, its) or "none")


if __name__ == "__main__":
    main(*sys.argv[1:])
