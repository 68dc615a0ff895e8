# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done to what the records of a stream bring: blocks and their compression, properties. As in records.py."""

from __future__ import annotations

import struct

from mutants import codecs, packing
from mutants.stream import OBJECT, WRITE, WRITE_EMBEDDED, Record, grain, head, places

# DMU_BACKUP_FEATURE_*: embedded data, lz4, large blocks, compressed, zstd.
PACKED = 1 << 16 | 1 << 17 | 1 << 19 | 1 << 22 | 1 << 25
BLOCK, PROPERTIES = 512, 2


def content(record):
    """What a data record brings, as far as it can be read."""
    try:
        if record.kind == WRITE_EMBEDDED:
            return codecs.unpack(record["compression"], record.payload[: record["psize"]], record["length"])
        if record["compressiontype"]:
            return codecs.unpack(record["compressiontype"], record.payload, record["logical_size"])
    except codecs.Unreadable:
        return None
    return record.payload


def payload(records, chance):
    full = [at for at, record in enumerate(records) if record.payload]
    if not full:
        return None
    at = chance.choice(full)
    changed, where = bytearray(records[at].payload), chance.randrange(len(records[at].payload))
    piece = chance.choice([chance.randbytes(1), chance.randbytes(4), b"\0" * 8, b"\xff" * 4])[: len(changed) - where]
    changed[where : where + len(piece)] = piece
    records[at].payload = bytes(changed)
    return f"bytes of the payload of record {at} ({records[at]}) at {where} become {piece.hex()}"


def repack(records, chance):
    """A block in another compression, its old or new data."""
    found = places(records, WRITE, WRITE_EMBEDDED, object=1)
    if not found:
        return None
    at = chance.choice(found)
    record = records[at]
    size = min(record["logical_size" if record.kind == WRITE else "length"], 1 << 20)
    data = chance.choice([content(record), None]) or packing.some_data(chance, size)
    compression = chance.choice([0, codecs.LZJB, codecs.GZIP_1, codecs.GZIP_9, codecs.ZLE, codecs.LZ4, codecs.ZSTD])
    # A block that is too long, or too short, now and then.
    wrong = chance.choice([0] * 12 + [1, -1, 512])
    stored = packing.pack(compression, (data + bytes(512))[: len(data) + wrong], chance)
    if compression and len(stored) > size:
        stored = packing.pack(compression, data[: size // 2] + bytes(size - size // 2), chance)
    records[at] = packed(record, compression, stored, size, chance)
    head(records, at)["versioninfo"] |= PACKED << 2
    return f"record {at} ({record}) is packed by compression {compression}: {len(stored)} bytes for {size + wrong}"


def packed(record, compression, stored, size, chance):
    """A data record in the place of another."""
    fields = {name: record[name] for name in ("object", "offset", "toguid")}
    if compression == 0:
        return Record.new(WRITE, stored, **fields, type=23, logical_size=size)
    # To a sector, to a word, or up to the size of the block.
    room = 8 if len(stored) <= 112 else chance.choice([512, 512, 4, size])
    padded = stored.ljust(-(-len(stored) // room) * room, b"\0")
    if len(stored) <= 112:
        return Record.new(WRITE_EMBEDDED, padded, **fields, length=size, compression=compression, lsize=size, psize=len(stored))
    return Record.new(WRITE, padded, **fields, type=23, logical_size=size, compressiontype=compression, compressed_size=len(padded))


def stored_size(records, chance):
    """The payload of a packed block is longer or shorter than it was."""
    found = [at for at in places(records, WRITE) if records[at]["compressiontype"]]
    if not found:
        return None
    at = chance.choice(found)
    record, by = records[at], chance.choice([-512, -4, -4, -1, 1, 4, 4, 512, 4096])
    size = max(0, min(record["compressed_size"], codecs.LARGEST) + by)
    record.payload = record.payload[:size] + chance.choice([bytes, chance.randbytes])(max(0, size - len(record.payload)))
    record["compressed_size"] = size
    return f"the payload of record {at} ({record}) has {by:+} bytes"


def properties(records, chance):
    found = places(records, WRITE, WRITE_EMBEDDED, object=PROPERTIES)
    if not found:
        return None
    at = chance.choice(found)
    block = bytearray(content(records[at]) or b"")
    if len(block) != BLOCK:
        return None
    what = chance.choice(["size", "size", "size", "moved", "second", "another", "byte", "differentiator"])
    altered(block, what, grain(records, at), chance)
    old = records[at]
    records[at] = Record.new(WRITE, bytes(block), object=PROPERTIES, type=24, offset=0, logical_size=BLOCK, toguid=old["toguid"])
    return f"the properties in record {at} ({old}): {what}; the first number is {struct.unpack_from('<Q', block, 64)[0]}"


def altered(block, what, step, chance):
    """Does something to a micro-ZAP whose first entry is the size of the volume."""
    (size,) = struct.unpack_from("<Q", block, 64)
    to = 64 * chance.randrange(2, 8)
    if what == "size":
        sizes = [size + step, size - step, size // 2, size * 2, size + 512, 0, step, 1 << 62, size + step * chance.randrange(64)]
        struct.pack_into("<Q", block, 64, chance.choice(sizes) % 2**64)
    elif what == "byte":
        block[chance.randrange(BLOCK)] = chance.randrange(256)
    elif what == "differentiator":
        struct.pack_into("<I", block, 72, chance.choice([1, 255, 1 << 16]))
    else:
        block[to : to + 64] = block[64:128]
        if what == "moved":
            block[64:128] = bytes(64)
        elif what == "another":
            block[to + 14 : to + 64] = chance.choice([b"sizes", b"Size", b"volblocksize"]).ljust(50, b"\0")


def resize(records, chance):
    """A stream that leaves the size of the volume as it is gets one of its own."""
    found = places(records, OBJECT, object=PROPERTIES)
    if not found:
        return None
    at = chance.choice(found)
    size = grain(records, at) * chance.choice([1, 2, 8, 16, 32, 48, 64, 80, 128])
    records.insert(at + 1, Record.new(WRITE, size_property(size), object=PROPERTIES, type=24, logical_size=BLOCK, toguid=records[at]["toguid"]))
    rest = [each for each in places(records, WRITE, WRITE_EMBEDDED, object=PROPERTIES) if each > at + 1 and head(records, each) is head(records, at)]
    for each in reversed(rest):
        del records[each]
    return f"the volume has {size} bytes after record {at}"


def size_property(size):
    block = bytearray(BLOCK)
    # A micro-ZAP.
    struct.pack_into("<Q", block, 0, 1 << 63 | 3)
    struct.pack_into("<Q6x4s", block, 64, size, b"size")
    return bytes(block)


def split_block(records, chance):
    """An unpacked block comes in two parts, which do not always meet."""
    found = [at for at in places(records, WRITE, object=1) if not records[at]["compressiontype"] and len(records[at].payload) > 512]
    if not found:
        return None
    at = chance.choice(found)
    first, second = records[at], records[at].copy()
    cut = 512 * chance.randrange(1, len(first.payload) // 512)
    second.payload, first.payload = first.payload[cut:], first.payload[:cut]
    first["logical_size"] = cut
    second["offset"] += cut + chance.choice([0, 0, 0, -512])
    second["logical_size"] -= cut
    records.insert(at + 1, second)
    return f"record {at} ({first}) is cut at {cut}"


def join_blocks(records, chance):
    """Two unpacked blocks side by side become one record."""
    found = [
        at for at in places(records[:-1], WRITE, object=1)
        if records[at + 1].kind == WRITE and not records[at]["compressiontype"] and not records[at + 1]["compressiontype"]
        and records[at]["offset"] + records[at]["logical_size"] == records[at + 1]["offset"]
    ]  # fmt: skip
    if not found:
        return None
    at = chance.choice(found)
    second = records.pop(at + 1)
    records[at].payload += second.payload
    records[at]["logical_size"] += second["logical_size"]
    return f"records {at} and {at + 1} become one"
