# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `zfs receive` makes of a stream, by the rules of OpenZFS 2.3's dmu_recv.c: a second opinion, which shares nothing with ours.

It is laxer than our reader wherever ZFS is. What ZFS refuses is `Refused`; what it takes and then panics on, cannot read, or
makes something of that depends on the moment, is `Undefined`.
"""

from __future__ import annotations

import struct

from mutants import codecs
from mutants.stream import (
    BEGIN,
    CHECKSUM,
    COMPOUND,
    END,
    FREE,
    FREEOBJECTS,
    HEADER,
    MAGIC,
    OBJECT,
    SUBSTREAM,
    TO_THE_END,
    WRITE,
    WRITE_EMBEDDED,
    Fletcher4,
    Record,
    payload_length,
)

VOLUME = 3  # DMU_OST_ZVOL
# DMU_BACKUP_FEATURE_*: redacted, resuming, raw. And all that 2.3 knows.
OTHER_TRANSFERS = 1 << 20 | 1 << 21 | 1 << 24
SUPPORTED = OTHER_TRANSFERS | 1 << 2 | 1 << 16 | 1 << 17 | 1 << 19 | 1 << 22 | 1 << 23 | 0b11111 << 25
MAX_BLOCK = 16 << 20
ZBT_MICRO = 1 << 63 | 3


class Refused(Exception):
    """ZFS gives an error before the volume is there."""


class Undefined(Exception):
    """ZFS takes it, and what it is then is not known."""


def need(condition, why):
    if not condition:
        raise Refused(why)


class Object:
    """A dnode with its blocks. `how` says how those came that this stream has brought."""

    def __init__(self, kind, blksz):
        self.kind, self.blksz = kind, blksz
        self.blocks, self.how = {}, {}

    def block(self, number):
        """Its bytes; a compressed one is unpacked when somebody reads it."""
        stored = self.blocks.get(number)
        if isinstance(stored, tuple):
            try:
                return codecs.unpack(*stored)
            except codecs.Unreadable as error:
                raise Undefined(f"block {number} cannot be read: {error}") from error
        return stored or bytes(self.blksz)

    def bring(self, number, how, stored):
        """A block that does not go through a buffer: nothing else may be on its way to the same place."""
        if number in self.how:
            raise Undefined(f"block {number} comes {how}, after it came {self.how[number]}")
        self.how[number] = how
        self.blocks[number] = stored

    def buffered(self, offset, data):
        """dmu_write: through a buffer for each block, which reads the block first."""
        while data:
            number, at = divmod(offset, self.blksz)
            piece, data = data[: self.blksz - at], data[self.blksz - at :]
            if self.how.setdefault(number, "through a buffer") != "through a buffer":
                raise Undefined(f"block {number} is written to, after it came {self.how[number]}")
            block = self.block(number)
            self.blocks[number] = block[:at] + piece + block[at + len(piece) :]
            offset += len(piece)

    def whole(self, offset):
        """The block at an offset, by `dbuf_whichblock`: where in the block is not asked."""
        if self.blksz & (self.blksz - 1) and offset >= self.blksz:
            raise Undefined(f"offset {offset} in an object of one block")
        return offset // self.blksz

    def free(self, offset, length):
        """dmu_free_long_range: whole blocks go, of others a part becomes zeros."""
        end = offset + length
        for number in sorted(self.blocks):
            start = number * self.blksz
            first, last = max(offset, start), min(end, start + self.blksz)
            if first >= last:
                continue
            if last - first < self.blksz:
                self.buffered(first, bytes(last - first))
            elif self.how.get(number, "through a buffer") != "through a buffer":
                raise Undefined(f"block {number} is freed, after it came {self.how[number]}")
            else:
                del self.blocks[number]


class Volume:
    """A dataset that is being received, from one snapshot to the next."""

    def __init__(self):
        self.objects, self.guid = {}, 0

    def begin(self, record):
        features = record["versioninfo"] >> 2
        need(record["versioninfo"] & 3 == SUBSTREAM, "not one stream")
        need(features & ~SUPPORTED == 0, f"features {features:#x}")
        need(features & OTHER_TRANSFERS == 0, "raw, redacted or resuming")
        need(record["type"] == VOLUME, f"objset of type {record['type']}")
        need(record["flags"] & 1 == 0, "a clone without an origin")
        need(not record.payload, "a property list, which only other transfers have")
        need(b"@" in bytes(record.header[56:312]).split(b"\0")[0], "bad snapshot name")
        need(record["fromguid"] == self.guid, "most recent snapshot does not match incremental source")
        self.guid, self.last = record["toguid"], (0, 0)
        for each in self.objects.values():
            each.how.clear()

    def existing(self, number):
        need(number in self.objects, f"there is no object {number}")
        return self.objects[number]

    def record(self, record):
        match record.kind:
            case 1:
                self.object(record)
            case 2:
                need(record["firstobj"] + record["numobjs"] < 1 << 64, "objects overflow")
                for number in [each for each in self.objects if 0 <= each - record["firstobj"] < record["numobjs"]]:
                    del self.objects[number]
            case 3:
                self.write(record)
            case 4:
                need(record["length"] == TO_THE_END or record["offset"] + record["length"] < 1 << 64, "range overflows")
                self.existing(record["object"]).free(record["offset"], record["length"])
            case 8:
                self.embedded(record)
            case kind:
                raise Refused(f"record of type {kind}")

    def object(self, record):
        number, blksz = record["object"], record["blksz"]
        need(blksz % 512 == 0 and 512 <= blksz <= MAX_BLOCK, f"block size {blksz}")
        need(valid_type(record["type"]) and record["type"] and valid_type(record["bonustype"]), "object type")
        need(record["checksumtype"] < 16 and record["compress"] < 17, "checksum or compression")
        # ZFS takes them, and cannot read what it then writes; or hangs, or keeps no checksums.
        if record["checksumtype"] or record["compress"]:
            raise Undefined("an object with attributes of its own")
        need(record["bonuslen"] <= 320 and record["dn_slots"] <= 32, "bonus")
        shape = [record[name] for name in ("raw_bonuslen", "nblkptr", "indblkshift", "nlevels")]
        need(shape == [0] * 4 and record["flags"] == 0, "what only raw streams have")
        if number not in self.objects or self.objects[number].blksz != blksz:
            self.objects[number] = Object(record["type"], blksz)

    def write(self, record):
        need(record["offset"] + record["logical_size"] < 1 << 64, "block overflows")
        need(valid_type(record["type"]), "data type")
        place = record["object"], record["offset"]
        need(place >= self.last, "records out of order")
        self.last = place
        target = self.existing(record["object"])
        stored, size = record.payload, record["logical_size"]
        if record["compressiontype"]:
            stored = record["compressiontype"], stored, size
            if record["compressed_size"] > size or not record["compressed_size"]:
                raise Undefined(f"a block of {size} bytes, compressed to {record['compressed_size']}")
        if size == target.blksz:
            target.bring(target.whole(record["offset"]), "as a whole", stored)
            return
        if record["compressiontype"]:
            try:
                stored = codecs.unpack(*stored)
            except codecs.Unreadable as error:
                raise Refused(str(error)) from error
        target.whole(record["offset"] + size - 1)
        target.buffered(record["offset"], stored)

    def embedded(self, record):
        need(record["offset"] + record["length"] < 1 << 64, "block overflows")
        need(record["psize"] <= 112 and record["etype"] < 3 and record["compression"] < 17, "embedded block")
        target = self.existing(record["object"])
        if record["etype"] or not record["psize"] or record["lsize"] != target.blksz:
            raise Undefined(f"an embedded block of type {record['etype']}, {record['psize']} for {record['lsize']} bytes")
        stored = record["compression"], record.payload[: record["psize"]], record["lsize"]
        target.bring(target.whole(record["offset"]), "embedded", stored)

    def size(self):
        """zap_lookup of `size` in object 2, a micro-ZAP: of several with one name the first in the tree, which cannot hold two alike."""
        if not {1, 2} <= self.objects.keys():
            raise Undefined("a volume without its data or properties object: asking for it panics")
        block = self.objects[2].block(0)
        kind, _, normalization = struct.unpack_from("<3Q", block)
        if kind != ZBT_MICRO or normalization:
            raise Undefined("properties in another form")
        found = {}
        for at in range(64, len(block), 64):
            value, differentiator = struct.unpack_from("<QI", block, at)
            name, end, _ = block[at + 14 : at + 64].partition(b"\0")
            if name and (not end or (name, differentiator) in found):
                raise Undefined(f"property {name!r}: it has no end, or is there twice")
            found[name, differentiator] = value
        sizes = [found[entry] for entry in sorted(found) if entry[0] == b"size"]
        if not sizes or not 0 < sizes[0] < 1 << 63:
            raise Undefined("a volume without a size: asking for it panics")
        return sizes[0]

    def content(self):
        """Its blocks that are not zeros, by their offsets; nothing beyond its size."""
        size, data, found = self.size(), self.objects[1], {}
        for number in data.blocks:
            offset = number * data.blksz
            block = data.block(number)[: max(0, size - offset)]
            if block.strip(b"\0"):
                found[offset] = block
        return found


def valid_type(number):
    """DMU_OT_IS_VALID"""
    return number & 0x3F < 10 if number & 0x80 else number < 54


class Input:
    """A stream, record by record, each with the checksum that it carries."""

    def __init__(self, stream):
        self.stream, self.at, self.total = stream, 0, Fletcher4()

    def take(self, length):
        need(self.at + length <= len(self.stream), "incomplete stream")
        taken = self.stream[self.at : self.at + length]
        self.at += length
        return taken

    def begin(self):
        record = Record(self.take(HEADER))
        need(record.kind == BEGIN and record["magic"] == MAGIC, "bad magic number")
        self.total = Fletcher4()
        self.total.add(record.header)
        self.payload(record)
        return record

    def next(self):
        record, before = Record(self.take(HEADER)), self.total.packed()
        need(record.kind != BEGIN, "a stream begins inside another")
        self.total.add(record.header[:CHECKSUM])
        checksum = record.header[CHECKSUM:]
        need(checksum in (bytes(32), self.total.packed()), "checksum mismatch")
        self.total.add(checksum)
        if record.kind == END:
            need(record.header[8:40] == before, "checksum mismatch")
        else:
            self.payload(record)
        return record

    def payload(self, record):
        length = payload_length(record)
        need(length <= MAX_BLOCK, "payload")
        record.payload = self.take(length)
        need(length % 4 == 0, "payload")
        self.total.add(record.payload)


def receive_one(source, begin, volume):
    volume.begin(begin)
    while (record := source.next()).kind != END:
        volume.record(record)


def receive(stream):
    """The volume at the end of a stream, or of the streams of a package."""
    source, volume = Input(stream), Volume()
    begin = source.begin()
    if begin["versioninfo"] & 3 != COMPOUND:
        receive_one(source, begin, volume)
        return volume
    need(source.next().kind == END, "the header of the package has no end")
    while Record(source.stream[source.at : source.at + HEADER].ljust(HEADER, b"\0")).kind == BEGIN:
        receive_one(source, source.begin(), volume)
    need(Record(source.take(HEADER)).kind == END, "the package has no end")
    return volume
