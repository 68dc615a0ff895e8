# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decompressors of the kernel (OpenZFS's module/zfs and module/zstd), by their rules: what no kernel reads is `Unreadable`."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import struct
import zlib

# enum zio_compress
LZJB, GZIP_1, GZIP_9, ZLE, LZ4, ZSTD = 3, 5, 13, 14, 15, 16
# SPA_MAXBLOCKSIZE: no kernel makes room for more.
LARGEST = 16 << 20


class Unreadable(Exception):
    """The kernel gives an error when the block is read, or memory that is not the block's."""


@functools.lru_cache(maxsize=4096)
def unpack(compression, stored, size):
    """The block of `size` bytes that is stored as `stored`."""
    if size > LARGEST:
        raise Unreadable(f"a block of {size} bytes")
    if GZIP_1 <= compression <= GZIP_9:
        block = gunzip(stored)
    else:
        block = {LZJB: lzjb, ZLE: zle, LZ4: lz4, ZSTD: zstd}.get(compression, unknown)(stored, size)
    if len(block) != size:
        raise Unreadable(f"{len(block)} bytes, {size} expected")
    return bytes(block)


def unknown(_stored, _size):
    raise Unreadable("a compression that has no decompressor")


def byte(data, at):
    """The kernel reads on beyond what is there."""
    if at >= len(data):
        raise Unreadable("the data end too early")
    return data[at]


def inner(stored, head):
    """What a header of `head` bytes announces with a big-endian length."""
    if len(stored) < head:
        raise Unreadable("no room for a header")
    (length,) = struct.unpack_from(">I", stored)
    if length + head > len(stored):
        raise Unreadable("more is announced than is there")
    return stored[head : head + length]


def lzjb(stored, size):
    """lzjb.c"""
    block, at, mask = bytearray(), 0, 1 << 7
    copymap = 0
    while len(block) < size:
        mask <<= 1
        if mask == 1 << 8:
            mask, copymap, at = 1, byte(stored, at), at + 1
        if copymap & mask:
            high, low = byte(stored, at), byte(stored, at + 1)
            at += 2
            copy(block, ((high << 8) | low) & 0x3FF, min((high >> 2) + 3, size - len(block)))
        else:
            block.append(byte(stored, at))
            at += 1
    return block


def zle(stored, size):
    """zle.c, at level 64"""
    block, at = bytearray(), 0
    while len(block) < size:
        length = 1 + byte(stored, at)
        at += 1
        if length <= 64:
            byte(stored, at + length - 1)
            block += stored[at : at + length]
            at += length
        else:
            block += bytes(length - 64)
    return block


def gunzip(stored):
    """gzip.c: a zlib stream, whose checksum counts."""
    stream = zlib.decompressobj()
    try:
        block = stream.decompress(stored)
    except zlib.error as error:
        raise Unreadable(str(error)) from error
    if not stream.eof:
        raise Unreadable("the zlib stream has no end")
    return block


def copy(block, distance, length):
    """A match: bytes that stand before, which may overlap with what they become."""
    if not 0 < distance <= len(block):
        raise Unreadable(f"a match at distance {distance} after {len(block)} bytes")
    for _ in range(length):
        block.append(block[-distance])


def lz4(stored, size):
    """lz4.c, `LZ4_decompress_generic` as `endOnInputSize` and `decode_full_block`, its careful loop."""
    data, block, at = inner(stored, 4), bytearray(), 0

    def length(bits):
        nonlocal at
        total = bits
        while bits == 15:
            more, at = byte(data, at), at + 1
            total += more
            if more != 255:
                break
        return total

    while True:
        token, at = byte(data, at), at + 1
        literals = length(token >> 4)
        # MFLIMIT; and room for an offset, a token and LASTLITERALS.
        last = len(block) + literals > size - 12 or at + literals > len(data) - 8
        if last and (at + literals != len(data) or len(block) + literals > size):
            raise Unreadable("the last literals do not end with the block")
        block += data[at : at + literals]
        at += literals
        if last:
            return block
        (offset,) = struct.unpack_from("<H", data, at)
        at += 2
        matched = length(token & 15) + 4
        if len(data) - at < 5 or len(block) + matched > size - 5:
            raise Unreadable("a match among the last literals")
        copy(block, offset, matched)


def zstd_level(stored):
    """The level in a block's header: `zfs_get_hdrmeta` tells by which byte is zero where it stands."""
    raw = struct.unpack_from(">I", stored, 4)[0]
    zero = next((shift for shift in range(4) if raw >> 8 * shift & 0xFF == 0), None)
    return {0: raw >> 24, 1: raw & 0xFF, 2: raw >> 24, 3: raw & 0xFF}.get(zero, 0)


def zstd(stored, size):
    """zfs_zstd.c"""
    frames = inner(stored, 8)
    # enum zio_zstd_levels: 1 to 19, and the fast ones.
    level = zstd_level(stored)
    if not (1 <= level <= 19 or 103 <= level <= 123):
        raise Unreadable(f"zstd level {level}")
    library, context = libzpool()
    block = ctypes.create_string_buffer(size)
    length = library.zfs_ZSTD_decompressDCtx(context, block, size, frames, len(frames))
    if library.zfs_ZSTD_isError(length):
        raise Unreadable("zstd refuses it")
    return block.raw[:length]


@functools.cache
def libzpool():
    """OpenZFS as a library, for the zstd that is in it, and a context that reads frames without a magic number.

    It is an old zstd, which refuses much that later ones read; and none reads corrupt data as another does.
    """
    library = ctypes.CDLL(ctypes.util.find_library("zpool"))
    context = ctypes.c_void_p
    library.zfs_ZSTD_createDCtx.restype = context
    library.zfs_ZSTD_DCtx_setParameter.argtypes = [context, ctypes.c_int, ctypes.c_int]
    library.zfs_ZSTD_decompressDCtx.argtypes = [context, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    library.zfs_ZSTD_decompressDCtx.restype = ctypes.c_size_t
    library.zfs_ZSTD_isError.argtypes = [ctypes.c_size_t]
    reader = library.zfs_ZSTD_createDCtx()
    # ZSTD_d_format, ZSTD_f_zstd1_magicless
    assert library.zfs_ZSTD_DCtx_setParameter(reader, 1000, 1) == 0
    return library, reader
