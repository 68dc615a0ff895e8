# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks packed as ZFS stores them, in many ways: as compressors do it, and as only somebody does who means it."""

from __future__ import annotations

import ctypes
import struct
import zlib

from mutants import codecs


def some_data(chance, size):
    """Data of many kinds; some of it fits in an embedded block."""
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(size)
    if kind == 1:
        return bytes(size)
    block = bytearray(size)
    for _ in range(chance.choice([1, 1, 3, 20])):
        piece = chance.choice(
            [chance.randbytes(chance.randrange(1, 60)), b"apiary " * chance.randrange(1, 200), bytes([chance.randrange(256)]) * 900]
        )[:size]
        at = chance.randrange(size - len(piece) + 1)
        block[at : at + len(piece)] = piece
    return bytes(block)


def pack(compression, block, chance):
    """The block, packed in one of the ways of this compression."""
    ways = {0: [unpacked], codecs.LZJB: [lzjb], codecs.ZLE: [zle], codecs.LZ4: [lz4], codecs.ZSTD: [zstd, zstd_by_hand]}.get(compression, [gzip])
    return chance.choice(ways)(block, chance)


def unpacked(block, _chance):
    return block


def matches(block, shortest, longest, farthest, tail):
    """Literals and then a match, again and again: (literals, distance, length), with distance 0 at the end."""
    seen, at, since = {}, 0, 0
    while at < len(block) - tail - shortest:
        before = seen.get(block[at : at + shortest])
        seen[block[at : at + shortest]] = at
        if before is None or at - before > farthest:
            at += 1
            continue
        length, limit = shortest, min(longest, len(block) - tail - at)
        while length < limit and block[before + length] == block[at + length]:
            length += 1
        yield block[since:at], at - before, length
        at += length
        since = at
    yield block[since:], 0, 0


def lzjb(block, _chance):
    packed, items = bytearray(), []
    for literals, distance, length in matches(block, 3, 66, 1023, 0):
        items += [bytes([literal]) for literal in literals]
        if distance:
            items.append(struct.pack(">H", (length - 3) << 10 | distance))
    for at in range(0, len(items), 8):
        eight = items[at : at + 8]
        packed.append(sum(1 << number for number, item in enumerate(eight) if len(item) == 2))
        packed += b"".join(eight)
    return bytes(packed)


def zle(block, _chance):
    packed, at = bytearray(), 0
    while at < len(block):
        zero = block[at] == 0
        length = 1
        while at + length < len(block) and length < (192 if zero else 64) and (block[at + length] == 0) == zero:
            length += 1
        packed.append(length + 63 if zero else length - 1)
        if not zero:
            packed += block[at : at + length]
        at += length
    return bytes(packed)


def gzip(block, chance):
    stream = zlib.compressobj(
        chance.choice([0, 1, 6, 9]), wbits=chance.choice([9, 12, 15]), strategy=chance.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED])
    )
    packed = stream.compress(block[:100])
    # An empty block in between now and then.
    packed += stream.flush(chance.choice([zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
    return packed + stream.compress(block[100:]) + stream.flush()


def lz4(block, chance):
    # Of a compressor, the last five bytes are literals, and no match begins among the last twelve.
    tail, data = chance.choice([12, 12, 12, 5, 4, 0]), bytearray()
    for literals, distance, length in matches(block, 4, 1 << 20, 65535, tail):
        matched = length - 4 if distance else 0
        data.append(min(len(literals), 15) << 4 | min(matched, 15))
        data += more(len(literals)) + literals
        if distance:
            data += struct.pack("<H", distance) + more(matched)
    return struct.pack(">I", len(data)) + data


def more(length):
    return b"" if length < 15 else b"\xff" * ((length - 15) // 255) + bytes([(length - 15) % 255])


def zstd(block, _chance):
    library, _ = codecs.libzpool()
    library.zfs_ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
    library.zfs_ZSTD_compress.restype = ctypes.c_size_t
    room = len(block) + 1024
    packed = ctypes.create_string_buffer(room)
    length = library.zfs_ZSTD_compress(packed, room, block, len(block), 3)
    return zstd_header(packed.raw[4:length])


def zstd_header(frames, level=3):
    return struct.pack(">IBBH", len(frames), level, 0, 10405) + frames


def zstd_by_hand(block, chance):
    """Raw blocks and blocks of one byte, empty ones of each kind among them; the size unannounced, in a window of 2 MiB or more."""
    pieces, step = [], chance.choice([1 << 10, 5000, 128 << 10])
    for at in range(0, len(block), step):
        piece = block[at : at + step]
        pieces.append((1, len(piece), piece[:1]) if piece == piece[:1] * len(piece) else (0, len(piece), piece))
    # Literals none and sequences none: two bytes, which zstd reads since 1.5.4; or three.
    empty = chance.choice([None, (0, 0, b""), (1, 0, b"z"), (2, 2, b"\0\0"), (2, 3, b"\4\0\0")])
    if empty:
        pieces.insert(chance.randrange(len(pieces) + 1), empty)
    data = bytes([0, chance.choice([11, 12, 15]) << 3])
    for number, (kind, length, stored) in enumerate(pieces):
        data += (length << 3 | kind << 1 | (number == len(pieces) - 1)).to_bytes(3, "little") + stored
    return zstd_header(data, chance.choice([1, 3, 19, 103, 123]))
